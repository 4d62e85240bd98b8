-- How long records have waited for a checkpoint, over all tenants with unsigned records. A scan of audit_chain_state, which has
-- one row per tenant, with one look-up per row in the primary key of audit_checkpoints. For a log without any checkpoint, the
-- time of its last record counts.
select count(*) as unsigned_logs,
       coalesce(max(extract(epoch from clock_timestamp() - coalesce(c.signed_at, s.last_ingested_at))), 0)::float8 as age
  from audit_chain_state s
  left join lateral (
    select size, signed_at from audit_checkpoints
     where tenant_id = s.tenant_id and epoch = s.epoch and size <= s.last_sequence + 1
     order by size desc limit 1) c on true
 where s.last_sequence >= 0 and coalesce(c.size, 0) < s.last_sequence + 1
