-- Whether the role $1 has rights in another database of the server.
select exists (
  select from pg_shdepend
   where refclassid = 'pg_authid'::regclass
     and refobjid = (select oid from pg_roles where rolname = $1)
     and dbid not in (0, (select oid from pg_database where datname = current_database()))
) as shared
