-- Which of these API keys may still be used, by the primary key of audit_api_keys. $2 is the clock of the service.
select id
  from audit_api_keys
 where id = any ($1::text[]) and revoked_at is null and (expires_at is null or expires_at > $2::timestamptz)
