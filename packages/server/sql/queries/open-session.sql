-- Opens a session. One of a key ends with the key at the latest; a key that was revoked meanwhile opens none.
insert into audit_console_sessions (id, secret_hash, key_id, login, created_at, used_at, expires_at)
select $1, $2, $3::text, $4::jsonb, $5::timestamptz, $5::timestamptz, least($6::timestamptz, k.expires_at)
  from (select 1 as one) as always
  left join audit_api_keys k on k.id = $3::text and k.revoked_at is null
 where $3::text is null or k.id is not null
returning expires_at
