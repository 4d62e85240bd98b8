-- What the login of the session could undo the protection of the trail with; read once at start.
-- $1: roles of PostgreSQL that are too powerful; $2: settings that switch triggers off or load code into the server.
-- `role` is every role that the login is a member of, directly or through others, whether it inherits their rights, may set
-- them, or may only grant them: a member with nothing but the admin option can grant itself the rest.
with recursive role (id) as (
  select oid from pg_roles where rolname = session_user
  union
  select m.roleid from role join pg_auth_members m on m.member = role.id
),
owned (owner, kind, name) as (
  select datdba, 'database', datname::text from pg_database where datname = current_database()
  union all
  select nspowner, 'schema', nspname::text from pg_namespace where nspname = 'public'
  union all
  select relowner, case relkind when 'v' then 'view' else 'table' end, relname::text from pg_class
   where relnamespace = 'public'::regnamespace and relkind in ('r', 'p', 'v') and relname ~ '^(audit|tally)_'
  union all
  select proowner, 'function', proname::text from pg_proc
   where pronamespace = 'public'::regnamespace and proname ~ '^tally_'
),
parameter (setting, privilege, grantee) as (
  select parname, privilege_type, acl.grantee from pg_parameter_acl cross join aclexplode(paracl) as acl
   where privilege_type = 'ALTER SYSTEM' or parname = any ($2::text[])
),
creator (grantee) as (
  select acl.grantee from pg_namespace cross join aclexplode(nspacl) as acl
   where nspname = 'public' and privilege_type = 'CREATE'
),
-- In a schema of its own, a login could create functions and tables that stand in for the trail's in other sessions.
schema_maker (grantee) as (
  select acl.grantee from pg_database cross join aclexplode(datacl) as acl
   where datname = current_database() and privilege_type = 'CREATE'
),
-- With its own trigger, which may call a function of any schema, a login could drop or change rows while they are written.
-- TRUNCATE of a whole table is refused by a trigger alone. MAINTAIN (from PostgreSQL 17 on) can lock the table for all sessions.
table_right (relation, privilege, grantee) as (
  select c.relname::text, acl.privilege_type, acl.grantee from pg_class c cross join aclexplode(c.relacl) as acl
   where c.relnamespace = 'public'::regnamespace and c.relname ~ '^(audit|tally)_'
     and acl.privilege_type in ('TRIGGER', 'TRUNCATE', 'MAINTAIN')
)
select
  session_user::text as login,
  current_setting('session_replication_role') as replication_role,
  array(select jsonb_build_object('member', m.member::regrole::text, 'of', m.roleid::regrole::text)
          from role join pg_auth_members m on m.member = role.id order by 1) as memberships,
  array(select jsonb_build_object('role', r.oid::regrole::text, 'superuser', rolsuper, 'createrole', rolcreaterole,
                                  'bypassrls', rolbypassrls)
          from role join pg_roles r on r.oid = role.id
         where rolsuper or rolcreaterole or rolbypassrls or rolname = any ($1::text[]) order by 1) as powerful,
  array(select jsonb_build_object('role', owner::regrole::text,
                                  'things', array_agg(format('%s %I', kind, name) order by kind, name))
          from owned join role on role.id = owned.owner group by owner order by 1) as owned,
  array(select distinct jsonb_build_object('setting', setting, 'privilege', privilege,
                                           'grantee', case grantee when 0 then 'public' else grantee::regrole::text end)
          from parameter where grantee = 0 or grantee in (select id from role) order by 1) as settings,
  array(select distinct case grantee when 0 then 'public' else grantee::regrole::text end
          from creator where grantee = 0 or grantee in (select id from role) order by 1) as creators,
  array(select distinct case grantee when 0 then 'public' else grantee::regrole::text end
          from schema_maker
         where grantee = 0 or grantee in (select id from role where id not in (select owner from owned where kind = 'database'))
         order by 1) as schema_makers,
  quote_ident(current_database()) as quoted_database,
  array(select distinct jsonb_build_object('relation', quote_ident(relation), 'privilege', privilege,
                                           'grantee', case grantee when 0 then 'public' else grantee::regrole::text end)
          from table_right
         where grantee = 0
            or grantee in (select id from role where id not in (select owner from owned where kind in ('table', 'view')))
         order by 1) as table_rights,
  quote_ident(session_user) as quoted_login
