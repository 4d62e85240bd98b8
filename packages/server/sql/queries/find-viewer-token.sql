-- A viewer token with the rights that its API key has now, by the primary keys of both tables. $2 is the clock of the service.
select t.id, t.mac, t.key_id, t.tenant_id, t.filters, t.include_records, t.include_ingest, t.expires_at,
       k.scopes, k.tenants, k.subject, k.expires_at as key_expires_at
  from audit_viewer_tokens t
  join audit_api_keys k
    on k.id = t.key_id and k.revoked_at is null and (k.expires_at is null or k.expires_at > $2::timestamptz)
 where t.id = $1 and t.expires_at > $2::timestamptz
