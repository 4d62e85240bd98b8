-- Gives every text column of the store the collation "C": the order of bytes. With a locale of the operating system or of ICU,
-- an update of the system changes the order of texts, and then the indexes, which are sorted in the old order, miss rows.
-- It runs after the migrations and changes nothing where all columns have the collation, or where the database's own order is
-- that of bytes and can't change. Changing a collation rewrites no table; it builds the indexes of the column again.
-- A column that a view, a policy or the condition of a trigger uses can't be changed, so these are dropped and created again.
do $$
declare
  statement text;
  columns text[];
  drops text[];
  restores text[];
begin
  if exists (select from pg_database where datname = current_database()
              and (datcollate in ('C', 'POSIX') and datlocprovider = 'c' or datlocprovider = 'b')) then
    return;
  end if;
  select array_agg(format('alter table %s %s', t.oid::regclass, alters.list) order by t.oid) into columns
    from pg_class t
   cross join lateral (
     select string_agg(format('alter column %I type %s collate "C"', attname, format_type(atttypid, atttypmod)), ', ') as list
       from pg_attribute
      where attrelid = t.oid and attnum > 0 and not attisdropped and attcollation = '"default"'::regcollation
   ) as alters
   where t.relnamespace = 'public'::regnamespace and t.relkind in ('r', 'p') and not t.relispartition
     and t.relname ~ '^(audit|tally)_' and alters.list is not null;
  if columns is null then
    return;
  end if;
  -- `level` 0 uses no other view. A view is dropped before those that it uses, and created after them.
  with recursive view (oid, level) as (
    select oid, 0 from pg_class
     where relnamespace = 'public'::regnamespace and relkind = 'v' and relname ~ '^(audit|tally)_'
    union
    select r.ev_class, level + 1
      from view join pg_depend d on d.refclassid = 'pg_class'::regclass and d.refobjid = view.oid
      join pg_rewrite r on d.classid = 'pg_rewrite'::regclass and r.oid = d.objid and r.ev_class <> view.oid
  ), leveled as (select oid, max(level) as level from view group by oid)
  select coalesce(array_agg(format('drop view %s', v.oid::regclass) order by level desc), '{}'),
         coalesce(array_agg(
           format('create view %s %s as %s', v.oid::regclass,
                  coalesce('with (' || array_to_string(v.reloptions, ', ') || ')', ''), pg_get_viewdef(v.oid)) ||
           format('; alter view %s owner to %s', v.oid::regclass, v.relowner::regrole) ||
           coalesce((select string_agg(format('; grant %s on %s to %s', acl.privilege_type, v.oid::regclass,
                       case acl.grantee when 0 then 'public' else acl.grantee::regrole::text end), '')
                       from aclexplode(v.relacl) as acl where acl.grantee <> v.relowner), '')
           order by level), '{}')
    into drops, restores
    from leveled join pg_class v on v.oid = leveled.oid;
  -- A policy may use a view, so policies go first and come back last.
  select coalesce(array_agg(format('drop policy %I on %s', polname, polrelid::regclass)), '{}') || drops,
         restores || coalesce(array_agg(
           format('create policy %I on %s as %s for %s to %s%s%s', polname, polrelid::regclass,
                  case when polpermissive then 'permissive' else 'restrictive' end,
                  case polcmd when 'r' then 'select' when 'a' then 'insert' when 'w' then 'update' when 'd' then 'delete'
                              else 'all' end,
                  (select string_agg(case member when 0 then 'public' else member::regrole::text end, ', ')
                     from unnest(polroles) as member),
                  coalesce(' using (' || pg_get_expr(polqual, polrelid) || ')', ''),
                  coalesce(' with check (' || pg_get_expr(polwithcheck, polrelid) || ')', ''))), '{}')
    into drops, restores
    from pg_policy p join pg_class t on t.oid = p.polrelid
   where t.relnamespace = 'public'::regnamespace and t.relname ~ '^(audit|tally)_';
  select drops || coalesce(array_agg(format('drop trigger %I on %s', tgname, tgrelid::regclass)), '{}'),
         restores || coalesce(array_agg(pg_get_triggerdef(g.oid)), '{}')
    into drops, restores
    from pg_trigger g join pg_class t on t.oid = g.tgrelid
   where t.relnamespace = 'public'::regnamespace and t.relname ~ '^(audit|tally)_' and not t.relispartition
     and not tgisinternal and tgqual is not null;
  foreach statement in array drops || columns || restores loop
    execute statement;
  end loop;
end
$$
