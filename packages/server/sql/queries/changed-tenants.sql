-- Tenants whose chain a follower has not read to its head: a comparison of all heads with all cursors.
--   $1 follower, $2 generation, $3 buckets, $4 most tenants
-- Both tables are read once and joined by hash, so idle tenants cost little and need no index. The bucket is computed only for tenants
-- that differ: see followers/buckets.ts. A cursor without a head is listed too: its chain is gone.
with differing as materialized (
  select coalesce(h.tenant_id, c.tenant_id) as tenant_id
    from (select tenant_id, epoch, last_sequence, last_hash from audit_chain_state where last_sequence >= 0) h
    full join (select * from audit_follower_cursors where follower = $1 and generation = $2::integer) c on c.tenant_id = h.tenant_id
   where c.stopped_code is null
     and (c.epoch, c.sequence_number, c.record_hash) is distinct from (h.epoch, h.last_sequence, h.last_hash)
)
select tenant_id from differing
 where get_byte(sha256(convert_to(tenant_id, 'UTF8')), 0) % 16 = any ($3::integer[])
 limit $4::integer
