-- The trail: one row per record, partitioned by month (UTC) of the store's clock. A wrong client clock can't select a
-- partition that does not exist. `record` holds the bytes that were hashed; the other columns only serve queries.
create table audit_records (
  tenant_id        text        not null,
  epoch            integer     not null,
  sequence_number  bigint      not null,
  audit_id         uuid        not null,
  ingested_at      timestamptz not null,
  "timestamp"      timestamptz not null,
  event_type       text        not null,
  event_category   text,
  severity         text,
  actor_type       text        not null,
  actor_id         text        not null,
  target_type      text,
  target_id        text,
  investigation_id text,
  alert_id         text,
  correlation_id   text,
  trace_id         text,
  outcome_status   text,
  source_service   text        not null,
  is_sensitive     boolean     not null,
  previous_hash    bytea       not null,
  record_hash      bytea       not null,
  record           text        not null
) partition by range (ingested_at);

-- Each index serves a filter of the list query (sql/queries). Each makes COPY about 10 % slower.
create index audit_records_timestamp      on audit_records (tenant_id, "timestamp");
create index audit_records_event_type     on audit_records (tenant_id, event_type, sequence_number);
create index audit_records_actor          on audit_records (tenant_id, actor_id, sequence_number);
create index audit_records_target         on audit_records (tenant_id, target_id, sequence_number) where target_id is not null;
create index audit_records_investigation  on audit_records (tenant_id, investigation_id, sequence_number) where investigation_id is not null;
create index audit_records_correlation    on audit_records (tenant_id, correlation_id, sequence_number) where correlation_id is not null;

create function tally_refuse_change() returns trigger language plpgsql as $$
begin
  raise exception 'the audit trail is append-only: % on % is refused', tg_op, tg_table_name
    using errcode = 'insufficient_privilege';
end
$$;

create trigger append_only before update or delete on audit_records
  for each row execute function tally_refuse_change();
create trigger append_only_truncate before truncate on audit_records
  for each statement execute function tally_refuse_change();

alter table audit_records enable row level security;
-- A reader sees only the tenants that its transaction has set in tallystick.tenants; without that setting, no rows.
create policy reader_by_tenant on audit_records for select to tally_reader
  using (tenant_id = any (string_to_array(current_setting('tallystick.tenants', true), ',')));
create policy writer_reads on audit_records for select to tally_writer using (true);
create policy writer_inserts on audit_records for insert to tally_writer with check (true);

grant select, insert on audit_records to tally_writer;
grant select on audit_records to tally_reader;

-- Creates the partitions from one month before the clock to `months_ahead` months after it. Months are UTC, also if the
-- session has another time zone. It runs with the owner's rights, so the service needs no right to create tables.
create function tally_ensure_partitions(months_ahead integer default 3) returns integer
language plpgsql security definer set search_path = pg_catalog, public, pg_temp as $$
declare
  this_month date := date_trunc('month', clock_timestamp() at time zone 'UTC')::date;
  month date;
  partition text;
  made integer := 0;
begin
  if months_ahead not between 0 and 24 then
    raise exception 'months_ahead must be 0 to 24' using errcode = 'invalid_parameter_value';
  end if;
  -- Only one transaction at a time creates partitions. The lock is held until it ends.
  perform pg_advisory_xact_lock(hashtext('tallystick'), hashtext('partitions'));
  for offset_months in -1 .. months_ahead loop
    month := this_month + make_interval(months => offset_months);
    partition := 'audit_records_' || to_char(month, '"y"YYYY"m"MM');
    continue when to_regclass('public.' || quote_ident(partition)) is not null;
    execute format(
      'create table public.%I partition of public.audit_records for values from (%L) to (%L)',
      partition,
      to_char(month, 'YYYY-MM-DD') || ' 00:00:00+00',
      to_char(month + interval '1 month', 'YYYY-MM-DD') || ' 00:00:00+00');
    execute format('create unique index on public.%I (tenant_id, epoch, sequence_number)', partition);
    execute format('create unique index on public.%I (tenant_id, audit_id)', partition);
    -- The parent's truncate trigger does not cover its partitions.
    execute format(
      'create trigger append_only_truncate before truncate on public.%I for each statement execute function public.tally_refuse_change()',
      partition);
    -- COPY writes to the partition directly. The partition has no row-level security; only the writer has rights on it.
    execute format('grant select, insert on public.%I to tally_writer', partition);
    made := made + 1;
  end loop;
  return made;
end
$$;
revoke all on function tally_ensure_partitions(integer) from public;
grant execute on function tally_ensure_partitions(integer) to tally_writer;
