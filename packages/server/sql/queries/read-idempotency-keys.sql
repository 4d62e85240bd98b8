-- What the keys of a request stand for, through the primary key.
select k.index, k.audit_id::text as audit_id, k."timestamp", k.body_sha256
  from unnest($3::text[], $4::integer[]) as c(tenant_id, index)
  join audit_idempotency_keys k
    on k.principal = $1 and k.key = $2 and k.tenant_id = c.tenant_id and k.index = c.index
