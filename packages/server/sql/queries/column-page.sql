-- Rows of one epoch that have a value in {column}, in chain order; {direction} is asc or desc.
--   $1 tenant, $2 epoch, $3 and $4 first and last sequence number, $5 the value, $6 most rows, $7 and $8 bounds of ingested_at of the months to
--   look at, in the order of the page, $9 and $10 bounds of them all, $11 whether the reader sees sensitive records, $12 whether they are listed,
--   $13 and $14 when the events happened, $15 and $16 when they were chained, $17 most bytes of the records together, except for the first,
--   $18 most rows that are listed; from $19 on the values of {conditions} (trail/column-conditions.ts)
-- Each month is looked up in the index of the column in its partition, (tenant_id, {column}, sequence_number), until there are $6 rows. The server
-- plans the statement once per connection and prunes partitions while it runs. Planned with its values, it took 10 ms over 84 partitions.
-- 100 rows in 84 months take 1.9 ms of the database: 0.8 ms to prepare 84 scans, and 0.9 ms to run them. So the caller looks at six months first.
-- A whole page by the field index took 8 ms, as it searches up to 1,220 blocks; this way it takes less than half of that. A value that is spread
-- over 84 months still costs two to three times as much as one in three months, whose list is also shorter.
-- The rows that meet all conditions are listed. Each of them says how many rows were compared, and which was the last of these. If none is listed,
-- one row says so, and has nothing else. 2,000 rows in 78 months take 7.1 ms of the processor; with all
-- of them in the windows below, they took 7.7, and 2.2 more for a step that the caller does not need since.
with compared as materialized (
    select d.epoch,
           d.sequence_number,
           d.audit_id,
           d.ingested_at,
           d.is_sensitive,
           d.previous_hash,
           d.record_hash,
           d.event_type,
           -- What the reader may not see does not leave the store.
           case when l.is_listed and ($11::boolean or not d.is_sensitive) then d.record end as record,
           case when l.is_listed then octet_length(d.record) else 0 end as bytes,
           l.is_listed
      from unnest($7::timestamptz[], $8::timestamptz[]) with ordinality as m(chained_from, chained_to, nth)
     cross join lateral (
       select * from audit_records r
        where r.tenant_id = $1
          -- Keeps the planner from the index of all records, in which it would look for the value one by one.
          and r.epoch + 0 = $2::integer
          and r.{column} = $5::text
          and r.sequence_number between $3::bigint and $4::bigint
          and r.ingested_at >= m.chained_from
          and r.ingested_at < m.chained_to
          and r.ingested_at >= $9::timestamptz
          and r.ingested_at < $10::timestamptz
        order by r.tenant_id {direction}, r.{column} {direction}, r.sequence_number {direction}
        limit $6::integer
     ) d
     cross join lateral (
       select coalesce(
          ($12::boolean or not d.is_sensitive)
          and d."timestamp" >= $13::timestamptz
          and d."timestamp" < $14::timestamptz
          and d.ingested_at >= $15::timestamptz
          and d.ingested_at < $16::timestamptz
          and {conditions}, false) as is_listed
       -- Computed once for each row.
       offset 0
     ) l
     order by m.nth
     limit $6::integer
)
select epoch, sequence_number, audit_id::text as audit_id, ingested_at, is_sensitive, encode(previous_hash, 'hex') as previous_hash,
       encode(record_hash, 'hex') as record_hash, event_type, record, listed, of_all.compared, of_all.last
  from (select count(*) as compared, {last}(sequence_number) as last from compared) of_all
  left join (
    select *
      from (
        select c.*,
               count(*) over () as listed,
               sum(c.bytes) over so_far - c.bytes as bytes_before,
               row_number() over so_far as nth
          from compared c
         where c.is_listed
        window so_far as (order by c.sequence_number {direction} rows unbounded preceding)
      ) p
     where bytes_before < $17::bigint
       and nth <= $18::integer
  ) q on true
 order by sequence_number {direction}
