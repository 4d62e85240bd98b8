-- One record by its audit_id, through each partition's unique (tenant_id, audit_id). There can be more than one row only after
-- a recovery, when an event of the lost epoch was delivered again. Then the newest epoch counts. A row outside of the chains is
-- not found.
select r.epoch,
       r.sequence_number,
       r.audit_id::text as audit_id,
       r.ingested_at,
       r.is_sensitive,
       encode(r.previous_hash, 'hex') as previous_hash,
       encode(r.record_hash, 'hex') as record_hash,
       case when r.is_sensitive and not $3::boolean then null else r.record end as record
  from audit_records r
  join audit_chain_ranges g
    on g.tenant_id = r.tenant_id and g.epoch = r.epoch and r.sequence_number between 0 and g.last_sequence
 where r.tenant_id = $1 and r.audit_id = $2::uuid
 order by r.epoch desc
 limit 1
