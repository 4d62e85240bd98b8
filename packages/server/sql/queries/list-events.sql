-- One page of a tenant's records within one epoch, in chain order; {direction} is asc or desc.
--
-- {filters} are the conditions of the filters that a request gives (trail/filters.ts), with parameters from $9 on. The
-- statement is planned with its values (pg's unnamed statements always are), so each filter picks its index:
--   no filter, event_category, severity, actor_type, target_type, alert_id, trace_id, outcome_status, source_service,
--   is_sensitive, a prefix of event_type: the partition's unique (tenant_id, epoch, sequence_number), walked in order
--   event_type:        audit_records_event_type     (tenant_id, event_type, sequence_number)
--   actor_id:          audit_records_actor          (tenant_id, actor_id, sequence_number)
--   target_id:         audit_records_target         (tenant_id, target_id, sequence_number)
--   investigation_id:  audit_records_investigation  (tenant_id, investigation_id, sequence_number)
--   correlation_id:    audit_records_correlation    (tenant_id, correlation_id, sequence_number)
--   from, to:          audit_records_timestamp      (tenant_id, "timestamp"), where the range is narrow
--   ingested_from, ingested_to: prune partitions
-- epoch is a constant, which is what lets an index that ends in sequence_number give the order. audit_chain_ranges bounds the
-- page by the head, or by the end of a closed epoch: a row beyond it does not belong to the chain.
--
-- $6 cuts a page by bytes as well: a thousand of the largest events would be a quarter of a gigabyte. `available`
-- counts the rows before that cut, so that the caller knows whether there is more.
select epoch, sequence_number, audit_id, ingested_at, is_sensitive, previous_hash, record_hash, record, available
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
               -- What the reader may not see does not leave the store.
               case when r.is_sensitive and not $7::boolean then null else r.record end as record,
               octet_length(r.record) as bytes
          from audit_records r
         where r.tenant_id = $1
           and r.epoch = $2::integer
           and r.sequence_number between greatest($3::bigint, 0) and least($4::bigint,
                 coalesce((select min(g.last_sequence) from audit_chain_ranges g where g.tenant_id = $1 and g.epoch = $2::integer), -1))
           and ($8::boolean or not r.is_sensitive)
           {filters}
         order by r.sequence_number {direction}
         limit $5::integer
      ) p
  ) q
 where bytes_before < $6::bigint
 order by sequence_number {direction}
