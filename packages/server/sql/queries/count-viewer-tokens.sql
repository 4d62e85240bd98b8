-- How many viewer tokens of an API key have not expired, up to a number, by audit_viewer_tokens_key. $2 is the clock of the service.
select count(*)::integer as live
  from (select 1 from audit_viewer_tokens where key_id = $1 and expires_at > $2::timestamptz limit $3::integer) as unexpired
