-- Tenants with the size of their chains, in the order of their ids, through the primary keys of audit_chain_state and
-- audit_checkpoints. $1 is null for all tenants.
select s.tenant_id,
       s.epoch,
       s.last_sequence + 1 as size,
       encode(s.last_hash, 'hex') as head_hash,
       s.last_ingested_at,
       (select max(c.size) from audit_checkpoints c where c.tenant_id = s.tenant_id and c.epoch = s.epoch and c.size <= s.last_sequence + 1) as signed_size
  from audit_chain_state s
 where ($1::text[] is null or s.tenant_id = any ($1))
   and s.tenant_id > $2
   and s.last_sequence >= 0
 order by s.tenant_id
 limit $3::integer
