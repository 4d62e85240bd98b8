-- additive
-- A view for tools that read SQL, and logins that read this view and nothing else (docs/reports.md). Each login sees one tenant.

-- The tenant of each login. Only the owner writes it, with the functions below.
create table audit_report_logins (
  login     name        primary key,
  tenant_id text        not null,
  added_at  timestamptz not null default clock_timestamp()
);
alter table audit_report_logins enable row level security;

-- The logins have no right on any table: the view reads with the rights of its owner. Which rows it shows depends on `session_user`, the login
-- of the connection, which no SET ROLE and no setting changes. `security_barrier`: no condition of a query, and no function that a login
-- makes in its temporary schema, sees a row that the view leaves out. Columns are only ever added, at the end.
create view audit_report_events with (security_barrier = true) as
select
  r.tenant_id,
  r.epoch,
  r.sequence_number,
  r.audit_id,
  r."timestamp",
  r.ingested_at,
  r.event_type,
  r.event_category,
  coalesce(r.severity, 'info')                 as severity,
  r.actor_type,
  r.actor_id,
  e -> 'on_behalf_of'                          as on_behalf_of,
  r.target_type,
  r.target_id,
  r.outcome_status,
  e #>> '{outcome,error_code}'                 as error_code,
  e #>> '{outcome,error_message}'              as error_message,
  r.source_service,
  e ->> 'source_ip'                            as source_ip,
  r.investigation_id,
  r.alert_id,
  r.correlation_id,
  r.trace_id,
  e ->> 'span_id'                              as span_id,
  e ->> 'parent_id'                            as parent_id,
  e -> 'entity_ids'                            as entity_ids,
  e -> 'context'                               as context,
  e -> 'decision'                              as decision,
  e -> 'outcome'                               as outcome,
  e -> 'event_data'                            as event_data,
  e -> 'metadata'                              as metadata,
  r.event_type in ('audit.read', 'audit.accounts_changed') as is_bookkeeping,
  content.submitted #>> '{ingest,trust}'       as trust,
  encode(r.record_hash, 'hex')                 as record_hash
from audit_records r
join (
  -- As audit_chain_ranges: rows outside the chain are strays.
  select s.tenant_id, s.epoch, s.last_sequence from audit_chain_state s
  union all
  select c.tenant_id, c.epoch, c.last_sequence from audit_closed_epochs c
) g on g.tenant_id = r.tenant_id and g.epoch = r.epoch and r.sequence_number between 0 and g.last_sequence
cross join lateral (select r.record::jsonb as submitted, r.record::jsonb -> 'event' as e) as content
where r.tenant_id = (select l.tenant_id from audit_report_logins l where l.login = session_user)
  and not r.is_sensitive;

-- Gives an existing login the right to read the view for one tenant. It runs with the rights of the caller, who must be the owner.
create function tally_add_report_login(new_login name, for_tenant text) returns void
language plpgsql set search_path = pg_catalog, public, pg_temp as $$
declare
  too_much text;
begin
  if not exists (select from pg_roles where rolname = new_login and rolcanlogin) then
    raise exception 'there is no login %', new_login
      using errcode = 'undefined_object', hint = 'create it first: create role NAME login password ...';
  end if;
  if for_tenant !~ '^[A-Za-z0-9][A-Za-z0-9._:@-]{0,127}$' then
    raise exception '% is not the id of a tenant', for_tenant using errcode = 'invalid_parameter_value';
  end if;
  -- Also through other roles. With one of these, the view would be no limit.
  select string_agg(distinct r.rolname::text, ', ') into too_much
    from pg_roles r
   where pg_has_role(new_login, r.oid, 'member')
     and (r.rolsuper or r.rolbypassrls or r.rolcreaterole or r.rolreplication or r.rolname like 'pg\_%'
          or r.oid in (select relowner from pg_class where oid = 'public.audit_records'::regclass)
          or r.rolname in (select unnest(array[writer, reader, retention]) from public.tally_roles));
  if too_much is not null then
    raise exception 'the login % could read more than the view, as or through: %', new_login, too_much
      using errcode = 'invalid_role_specification', hint = 'create a login of its own, without attributes and without memberships';
  end if;
  if exists (select from public.audit_report_logins l where l.login = new_login and l.tenant_id <> for_tenant) then
    raise exception 'the login % is for another tenant already', new_login
      using errcode = 'duplicate_object', hint = 'create another login for each tenant';
  end if;
  insert into public.audit_report_logins (login, tenant_id) values (new_login, for_tenant) on conflict do nothing;
  execute format('grant usage on schema public to %I', new_login);
  execute format('grant select on public.audit_report_events to %I', new_login);
  -- Against accidents: a session can change them, and none of them gives a right.
  execute format('alter role %I in database %I set default_transaction_read_only = on', new_login, current_database());
  execute format('alter role %I in database %I set statement_timeout = %L', new_login, current_database(), '60s');
  execute format('alter role %I in database %I set idle_in_transaction_session_timeout = %L', new_login, current_database(), '60s');
end
$$;
revoke all on function tally_add_report_login(name, text) from public;

create function tally_remove_report_login(old_login name) returns void
language plpgsql set search_path = pg_catalog, public, pg_temp as $$
begin
  delete from public.audit_report_logins where login = old_login;
  if not found then
    raise exception 'the login % reads no reports', old_login using errcode = 'undefined_object';
  end if;
  if exists (select from pg_roles where rolname = old_login) then
    execute format('revoke all on public.audit_report_events from %I', old_login);
    execute format('revoke usage on schema public from %I', old_login);
    execute format('alter role %I in database %I reset all', old_login, current_database());
  end if;
end
$$;
revoke all on function tally_remove_report_login(name) from public;
