-- Tables that are twice as large as when the planner's statistics of them were taken, or have none, the largest first.
--   $1 bytes from which a table counts: of a small one, every plan is fast
select format('%I.%I', n.nspname, c.relname) as name
  from pg_class c
  join pg_namespace n on n.oid = c.relnamespace
 where n.nspname = 'public'
   and c.relkind = 'r'
   and pg_relation_size(c.oid) >= greatest($1::bigint, 2 * c.relpages::bigint * current_setting('block_size')::bigint)
 order by pg_relation_size(c.oid) desc
