-- One page of a tenant's records within one epoch, in chain order; {direction} is asc or desc.
--
-- {filters} are the conditions of the filters that a request gives (trail/filters.ts). The caller bounds the range, so the statement reads a bounded
-- number of rows, also where none matches. It is planned with its values (pg's unnamed statements always are), and reads by the partition's unique
-- (tenant_id, epoch, sequence_number).
-- $9 and $10 bound ingested_at, so that the planner looks at the partitions of the range alone (trail/chain-months.ts).
-- The caller bounds the page by the head, or by the end of a closed epoch: a row beyond it does not belong to the chain.
--
-- $6 cuts a page by bytes as well: a thousand of the largest events would be a quarter of a gigabyte. `available`
-- counts the rows before that cut, so that the caller knows whether there is more.
select epoch, sequence_number, audit_id, ingested_at, is_sensitive, previous_hash, record_hash, event_type, record, available
  from (
    select p.*,
           count(*) over () as available,
           sum(p.bytes) over (order by p.sequence_number {direction} rows unbounded preceding) - p.bytes as bytes_before
      from (
        select r.epoch,
               r.sequence_number,
               r.audit_id::text as audit_id,
               r.ingested_at,
               r.is_sensitive,
               encode(r.previous_hash, 'hex') as previous_hash,
               encode(r.record_hash, 'hex') as record_hash,
               r.event_type,
               -- What the reader may not see does not leave the store.
               case when r.is_sensitive and not $7::boolean then null else r.record end as record,
               octet_length(r.record) as bytes
          from (
            select d.* from audit_records d
             where d.tenant_id = $1
               and d.epoch = $2::integer
               and d.sequence_number between $3::bigint and $4::bigint
               and d.ingested_at >= $9::timestamptz
               and d.ingested_at < $10::timestamptz
             order by d.sequence_number {direction}
            -- Keeps the planner from the indexes of columns, which know no range.
            offset 0
          ) r
         where ($8::boolean or not r.is_sensitive)
           {filters}
         order by r.sequence_number {direction}
         limit $5::integer
      ) p
  ) q
 where bytes_before < $6::bigint
 order by sequence_number {direction}
