-- Deletes some of the sessions that have ended. Uses audit_console_sessions_expiry for those that have expired. $1 is the clock of the service,
-- and a session that was last used before $2 has ended.
delete from audit_console_sessions
 where id in (
   select id from audit_console_sessions
    where expires_at <= $1::timestamptz or used_at <= $2::timestamptz
    order by expires_at
    limit 100)
