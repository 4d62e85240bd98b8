-- Which of these viewer tokens may still be used, by the primary keys of both tables. $2 is the clock of the service.
select t.id
  from audit_viewer_tokens t
  join audit_api_keys k
    on k.id = t.key_id and k.revoked_at is null and (k.expires_at is null or k.expires_at > $2::timestamptz)
 where t.id = any ($1::text[]) and t.expires_at > $2::timestamptz
