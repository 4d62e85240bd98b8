-- Deletes some of the viewer tokens that have expired, by audit_viewer_tokens_expiry. $1 is the clock of the service.
delete from audit_viewer_tokens
 where id in (select id from audit_viewer_tokens where expires_at <= $1::timestamptz order by expires_at limit 100)
