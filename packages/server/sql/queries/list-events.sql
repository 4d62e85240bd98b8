-- One page of a tenant's records within one epoch, in chain order; {direction} is asc or desc.
--
-- {among} are the conditions that an index answers in the order of the page (trail/list-rows.ts); $9 bounds the rows that it
-- yields. Each is compared with {filters}, the conditions of the filters that a request gives (trail/filters.ts). So the statement reads
-- a bounded number of rows, also where none matches. The statement is planned with its values (pg's unnamed statements always are):
--   none, or a list of sequence numbers: the partition's unique (tenant_id, epoch, sequence_number)
--   event_type:        audit_records_event_type     (tenant_id, event_type, sequence_number)
--   actor_id:          audit_records_actor          (tenant_id, actor_id, sequence_number)
--   target_id:         audit_records_target         (tenant_id, target_id, sequence_number)
--   investigation_id:  audit_records_investigation  (tenant_id, investigation_id, sequence_number)
--   correlation_id:    audit_records_correlation    (tenant_id, correlation_id, sequence_number)
-- $10 and $11 bound ingested_at, so that the planner looks at the partitions of the range alone (trail/chain-months.ts).
-- {epoch} is the condition on the epoch. The caller bounds the page by the head, or by the end of a closed epoch: a row beyond it does not
-- belong to the chain.
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
               and {epoch}
               and d.sequence_number between $3::bigint and $4::bigint
               and d.ingested_at >= $10::timestamptz
               and d.ingested_at < $11::timestamptz
               {among}
             order by d.sequence_number {direction}
             limit $9::integer
          ) r
         where ($8::boolean or not r.is_sensitive)
           {filters}
         order by r.sequence_number {direction}
         limit $5::integer
      ) p
  ) q
 where bytes_before < $6::bigint
 order by sequence_number {direction}
