-- Stores a viewer token. A key that was revoked meanwhile makes none.
insert into audit_viewer_tokens
  (id, mac, key_id, tenant_id, filters, include_records, include_ingest, created_at, expires_at)
select $1, $2, k.id, $4, $5, $6::boolean, $7::boolean, $8::timestamptz, $9::timestamptz
  from audit_api_keys k
 where k.id = $3 and k.revoked_at is null and (k.expires_at is null or k.expires_at > $8::timestamptz)
returning id
