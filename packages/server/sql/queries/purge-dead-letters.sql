-- Erases the bytes of dead letters, by the primary key. The rows stay, with the caller who first settled them.
update audit_dead_letters
   set state = 'purged',
       raw = ''::bytea,
       settled_at = coalesce(settled_at, $3::timestamptz),
       settled_by = coalesce(settled_by, $2)
 where id = any ($1::uuid[])
   and state <> 'purged'
returning id::text as id
