-- All rights of the role $1 in this database, each with the statement that gives it and the one that takes it away. Policies
-- and functions that name the role are replaced, so nothing has to be taken away there.
with role as (select oid from pg_roles where rolname = $1),
granted (privilege, object, columns) as (
  select privilege_type, format('%s %s', case relkind when 'S' then 'sequence' else 'table' end, c.oid::regclass), ''
    from pg_class c cross join aclexplode(relacl) as acl where acl.grantee = (select oid from role)
  union all
  select privilege_type, format('table %s', attrelid::regclass), format('(%I)', attname)
    from pg_attribute cross join aclexplode(attacl) as acl where acl.grantee = (select oid from role)
  union all
  select privilege_type, format('function %s', p.oid::regprocedure), ''
    from pg_proc p cross join aclexplode(proacl) as acl where acl.grantee = (select oid from role)
  union all
  select privilege_type, format('schema %I', nspname), ''
    from pg_namespace cross join aclexplode(nspacl) as acl where acl.grantee = (select oid from role)
)
select format('grant %s%s on %s to %I', privilege, columns, object, $1::text) as give,
       format('revoke %s%s on %s from %I', privilege, columns, object, $1::text) as take
  from granted
union all
select format('alter policy %I on %s to %s', polname, polrelid::regclass,
              (select string_agg(case member when 0 then 'public' else member::regrole::text end, ', ')
                 from unnest(polroles) as member)),
       'select 1'
  from pg_policy where (select oid from role) = any (polroles)
union all
select pg_get_functiondef(oid), 'select 1'
  from pg_proc where pronamespace = 'public'::regnamespace and prokind = 'f' and prosrc ~ ('\m' || $1 || '\M')
