-- Opens a session. A key that was revoked meanwhile opens none.
insert into audit_console_sessions (id, mac, key_id, login, created_at, used_at, expires_at)
select $1, $2, $3::text, $4, $5::timestamptz, $5::timestamptz, $6::timestamptz
  from (select 1 as one) as always
  left join audit_api_keys k on k.id = $3::text and k.revoked_at is null
 where $3::text is null or k.id is not null
returning id
