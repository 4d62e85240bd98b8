-- Erases the bytes of dead letters: the primary key. That they were refused stays on record, and who settled them first.
update audit_dead_letters
   set state = 'purged',
       raw = ''::bytea,
       settled_at = coalesce(settled_at, clock_timestamp()),
       settled_by = coalesce(settled_by, $2)
 where id = any ($1::uuid[])
   and state <> 'purged'
returning id::text as id
