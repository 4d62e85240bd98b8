-- How long records have been waiting for a checkpoint, over all tenants that have some: a scan of audit_chain_state, one
-- row a tenant, with one look-up in the primary key of audit_checkpoints each. A log that was never signed waits since
-- its last record at the latest.
select count(*) as unsigned_logs,
       coalesce(max(extract(epoch from clock_timestamp() - coalesce(c.signed_at, s.last_ingested_at))), 0)::float8 as age
  from audit_chain_state s
  left join lateral (
    select size, signed_at from audit_checkpoints
     where tenant_id = s.tenant_id and epoch = s.epoch
     order by size desc limit 1) c on true
 where s.last_sequence >= 0 and coalesce(c.size, 0) < s.last_sequence + 1
