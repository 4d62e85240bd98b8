-- Viewer tokens that work, the newest first, after a place. For some tenants ($2), each reads audit_viewer_tokens_tenant; null: all tenants.
-- The number of tokens that have not expired is bounded per key. $1 is the clock of the service.
select t.id, t.key_id, t.tenant_id, t.filters, t.include_records, t.include_ingest, t.created_at, t.expires_at
  from audit_viewer_tokens t
  join audit_api_keys k
    on k.id = t.key_id and k.revoked_at is null and (k.expires_at is null or k.expires_at > $1::timestamptz)
 where t.expires_at > $1::timestamptz
   and ($2::text[] is null or t.tenant_id = any ($2::text[]))
   and (t.created_at, t.id) < ($3::timestamptz, $4)
 order by t.created_at desc, t.id desc
 limit $5::integer
