-- Deletes some of the keys that are not used any more. Uses audit_idempotency_keys_created.
delete from audit_idempotency_keys
 where (principal, tenant_id, key, index) in (
   select principal, tenant_id, key, index
     from audit_idempotency_keys
    where created_at < clock_timestamp() - interval '7 days'
    limit $1)
returning 1 as pruned
