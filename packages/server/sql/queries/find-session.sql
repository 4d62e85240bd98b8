-- The session of a cookie with the rights that it has now, by the primary key of audit_console_sessions. $2 is the clock of the service, and a session
-- that was last used before $3 has ended.
select s.id, s.key_id, s.mac, s.login, s.used_at, s.expires_at, k.name, k.scopes, k.tenants, k.subject,
       k.expires_at as key_expires_at
  from audit_console_sessions s
  left join audit_api_keys k
    on k.id = s.key_id and k.revoked_at is null and (k.expires_at is null or k.expires_at > $2::timestamptz)
 where s.id = $1 and s.expires_at > $2::timestamptz and s.used_at > $3::timestamptz
   and (s.key_id is null or k.id is not null)
