-- Tenants with the size of their chains, in the order of their ids, through the primary keys of audit_chain_state and
-- audit_checkpoints, and audit_verification_log_whole. $1 is null for all tenants.
select s.tenant_id,
       s.epoch,
       s.last_sequence + 1 as size,
       encode(s.last_hash, 'hex') as head_hash,
       s.last_ingested_at,
       c.size as signed_size,
       c.signed_at,
       v.run_verdict as verdict,
       v.verified_at,
       v.last_checked
  from audit_chain_state s
  left join lateral (
    select size, signed_at
      from audit_checkpoints
     where tenant_id = s.tenant_id and epoch = s.epoch and size <= s.last_sequence + 1
     order by size desc
     limit 1) c on true
  left join lateral (
    select run_verdict, verified_at, report -> 'last' as last_checked
      from audit_verification_log
     where tenant_id = s.tenant_id and epoch = s.epoch and from_start and to_end
     order by id desc
     limit 1) v on true
 where ($1::text[] is null or s.tenant_id = any ($1))
   and s.tenant_id > $2
   and s.last_sequence >= 0
 order by s.tenant_id
 limit $3::integer
