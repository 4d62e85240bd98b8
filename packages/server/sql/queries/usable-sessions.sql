-- Which of these sessions have not ended, by the primary key of audit_console_sessions. $2 is the clock of the service, and a session that was
-- last used before $3 has ended.
select id
  from audit_console_sessions
 where id = any ($1::text[]) and expires_at > $2::timestamptz and used_at > $3::timestamptz
