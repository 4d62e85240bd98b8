-- Records at some positions of one epoch, in chain order.
--   $1 tenant, $2 epoch, $3 sequence numbers, $4 and $5 bounds of ingested_at for each, $6 the order (1 or -1), $7 whether the reader sees
--   sensitive records, $8 whether they are listed, $9 and $10 when the events happened, $11 and $12 when they were chained, $13 most bytes of the
--   records together, except for the first, $14 and $15 bounds of all of $4 and $5, $16 most rows, the first ones of $3
-- Each position is looked up in the partition of its month, by (tenant_id, epoch, sequence_number): the others are pruned for each of them while
-- the statement runs. The server plans it once per connection. 100 positions in 84 partitions take 1.3 ms; a list of sequence numbers, planned
-- with its values, took 13 ms to plan and 8 ms to run.
select epoch, sequence_number, audit_id, ingested_at, is_sensitive, previous_hash, record_hash, event_type, record, available
  from (
    select p.*,
           count(*) over () as available,
           sum(p.bytes) over (order by p.sequence_number * $6::integer rows unbounded preceding) - p.bytes as bytes_before
      from (
        select d.epoch,
               d.sequence_number,
               d.audit_id::text as audit_id,
               d.ingested_at,
               d.is_sensitive,
               encode(d.previous_hash, 'hex') as previous_hash,
               encode(d.record_hash, 'hex') as record_hash,
               d.event_type,
               -- What the reader may not see does not leave the store.
               case when d.is_sensitive and not $7::boolean then null else d.record end as record,
               octet_length(d.record) as bytes
          from unnest($3::bigint[], $4::timestamptz[], $5::timestamptz[]) with ordinality
            as wanted(sequence_number, chained_from, chained_to, nth)
         cross join lateral (
           select * from audit_records r
            where r.tenant_id = $1
              and r.epoch = $2::integer
              and r.sequence_number = wanted.sequence_number
              and r.ingested_at >= wanted.chained_from
              and r.ingested_at < wanted.chained_to
              -- Other partitions are pruned once, when the statement starts.
              and r.ingested_at >= $14::timestamptz
              and r.ingested_at < $15::timestamptz
           -- The planner does not know the values, and would look for all records of the times below.
           offset 0
         ) d
         where ($8::boolean or not d.is_sensitive)
           and d."timestamp" >= $9::timestamptz
           and d."timestamp" < $10::timestamptz
           and d.ingested_at >= $11::timestamptz
           and d.ingested_at < $12::timestamptz
         order by wanted.nth
         limit $16::integer
      ) p
  ) q
 where bytes_before < $13::bigint
 order by sequence_number * $6::integer
