-- additive
-- A record belongs to a chain if its position lies within the head of its tenant, or within a closed epoch. Any other row is
-- a stray: somebody planted it with access to the database. Reads leave strays out, and the verification reports them. The
-- triggers below keep the service's own login from planting any.

-- The epochs that a recovery closed, with the last position that belongs to each. Only the trigger writes here.
create table audit_closed_epochs (
  tenant_id     text        not null,
  epoch         integer     not null,
  last_sequence bigint      not null,
  closed_at     timestamptz not null default clock_timestamp(),
  primary key (tenant_id, epoch)
);
create trigger append_only before update or delete on audit_closed_epochs
  for each row execute function tally_refuse_change();
create trigger append_only_truncate before truncate on audit_closed_epochs
  for each statement execute function tally_refuse_change();
alter table audit_closed_epochs enable row level security;
create policy reader_by_tenant on audit_closed_epochs for select to tally_reader
  using (tenant_id = any (string_to_array(current_setting('tallystick.tenants', true), ',')));
create policy writer_reads on audit_closed_epochs for select to tally_writer using (true);
grant select on audit_closed_epochs to tally_reader, tally_writer;

-- Epochs that were closed before this migration.
insert into audit_closed_epochs (tenant_id, epoch, last_sequence)
select r.tenant_id, r.epoch, max(r.sequence_number)
  from audit_records r
  join audit_chain_state s on s.tenant_id = r.tenant_id and r.epoch < s.epoch
 where r.epoch >= 1
 group by r.tenant_id, r.epoch;

-- A head that was damaged may be behind what was signed, so the stored checkpoints count too.
create function tally_close_epoch() returns trigger
language plpgsql security definer set search_path = pg_catalog, public, pg_temp as $$
begin
  insert into public.audit_closed_epochs (tenant_id, epoch, last_sequence)
  values (old.tenant_id, old.epoch, greatest(old.last_sequence, (
    select max(size) - 1 from public.audit_checkpoints c where c.tenant_id = old.tenant_id and c.epoch = old.epoch)))
  on conflict do nothing;
  return null;
end
$$;
create trigger close_epoch after update of epoch on audit_chain_state
  for each row when (old.epoch < new.epoch) execute function tally_close_epoch();

-- The positions that belong to the chain of each tenant: 0 to last_sequence of each of these epochs.
create view audit_chain_ranges with (security_invoker = true) as
select tenant_id, epoch, last_sequence from audit_chain_state where last_sequence >= 0
union all
select tenant_id, epoch, last_sequence from audit_closed_epochs where last_sequence >= 0;
grant select on audit_chain_ranges to tally_reader, tally_writer;

-- As in 0005_flat_view.sql, without strays.
create or replace view audit_events with (security_invoker = true) as
select
  r.tenant_id,
  r.epoch,
  r.sequence_number,
  r.audit_id,
  r.audit_id                                   as event_id,
  r."timestamp",
  r."timestamp"                                as event_timestamp,
  r.ingested_at,
  r.event_type,
  r.event_category,
  coalesce(e ->> 'event_action', split_part(r.event_type, '.', -1)) as event_action,
  coalesce(r.severity, 'info')                 as severity,
  r.actor_type,
  r.actor_id,
  r.target_type,
  r.target_id,
  r.target_type                                as resource_type,
  r.target_id                                  as resource_id,
  r.investigation_id,
  r.alert_id,
  r.correlation_id,
  r.trace_id,
  e ->> 'span_id'                              as span_id,
  e ->> 'parent_id'                            as parent_id,
  r.outcome_status,
  r.outcome_status                             as event_outcome,
  e #>> '{outcome,error_code}'                 as error_code,
  e #>> '{outcome,error_message}'              as error_message,
  r.source_service,
  e ->> 'namespace'                            as namespace,
  e ->> 'cluster'                              as cluster,
  e -> 'entity_ids'                            as entity_ids,
  e -> 'context'                               as context,
  e -> 'decision'                              as decision,
  e -> 'outcome'                               as outcome,
  e -> 'proof'                                 as proof,
  e -> 'event_data'                            as event_data,
  e -> 'metadata'                              as metadata,
  coalesce((e ->> 'retention_days')::integer, 2555) as retention_days,
  r.is_sensitive,
  coalesce(e ->> 'event_version', '1.0')       as event_version,
  encode(r.previous_hash, 'hex')               as previous_hash,
  encode(r.record_hash, 'hex')                 as record_hash,
  r.record
from audit_records r
join audit_chain_ranges g
  on g.tenant_id = r.tenant_id and g.epoch = r.epoch and r.sequence_number between 0 and g.last_sequence
cross join lateral (select r.record::jsonb -> 'event' as e) as content;

-- How far the records of a tenant reach within a transaction, before the head follows.
alter table audit_chain_state
  add column appended_epoch integer not null default 0,
  add column appended_to    bigint  not null default -1;

-- The owner of a table is not bound by the triggers below: a restore writes records before their heads.

-- New records must follow the head of their tenant without a gap. A COPY is one statement, so this runs once per batch and
-- not once per record. Throughput of appendBatch with the triggers, as a share of the throughput without them (median of 9
-- rounds that took turns on one server, events as in `npm run bench -- append`): batches of 1,000 events of 4 tenants 0.996,
-- of 100 events of 4 tenants 0.98, of 1,000 events of 500 tenants 0.80, of one event 0.87. A trigger for each row would run
-- a query for each record.
create function tally_check_append() returns trigger
language plpgsql set search_path = pg_catalog, public, pg_temp as $$
declare
  refused record;
begin
  if pg_has_role((select relowner from pg_class where oid = tg_relid), 'member') then
    return null;
  end if;
  with added as (
    select tenant_id, epoch, min(sequence_number) as first, max(sequence_number) as last, count(*) as records
      from new_records group by tenant_id, epoch
  ), reached as (
    update public.audit_chain_state s
       set appended_epoch = a.epoch, appended_to = a.last
      from added a
     where s.tenant_id = a.tenant_id
       and a.records = a.last - a.first + 1
       and case when a.epoch > greatest(s.epoch, s.appended_epoch) then a.first = 0
                when (s.appended_epoch, s.appended_to) > (s.epoch, s.last_sequence)
                then (a.epoch, a.first) = (s.appended_epoch, s.appended_to + 1)
                else (a.epoch, a.first) = (s.epoch, s.last_sequence + 1) end
    returning s.tenant_id, s.appended_epoch as epoch
  )
  select a.tenant_id, a.epoch, a.first into refused
    from added a where not exists (select from reached r where r.tenant_id = a.tenant_id and r.epoch = a.epoch) limit 1;
  if found then
    raise exception 'record % of epoch % of % does not follow the head of its chain', refused.first, refused.epoch, refused.tenant_id
      using errcode = 'insufficient_privilege';
  end if;
  return null;
end
$$;

-- At commit the head must have followed: a transaction that adds records and leaves the head where it was is refused.
create function tally_check_head_follows() returns trigger
language plpgsql set search_path = pg_catalog, public, pg_temp as $$
begin
  if exists (select from public.audit_chain_state s
              where s.tenant_id = new.tenant_id and (s.appended_epoch, s.appended_to) > (s.epoch, s.last_sequence)) then
    raise exception 'records were added to the chain of % without its head', new.tenant_id
      using errcode = 'insufficient_privilege';
  end if;
  return null;
end
$$;
create constraint trigger head_follows after update on audit_chain_state deferrable initially deferred
  for each row when (old.appended_to <> new.appended_to or old.appended_epoch <> new.appended_epoch)
  execute function tally_check_head_follows();

create function tally_refuse_going_back() returns trigger
language plpgsql set search_path = pg_catalog, public, pg_temp as $$
begin
  if pg_has_role((select relowner from pg_class where oid = tg_relid), 'member') then
    return new;
  end if;
  raise exception 'the head of % must not go back', old.tenant_id using errcode = 'insufficient_privilege';
end
$$;
create trigger forward_only before update on audit_chain_state
  for each row when ((new.epoch, new.last_sequence) < (old.epoch, old.last_sequence)
                  or (new.appended_epoch, new.appended_to) < (old.appended_epoch, old.appended_to)
                  or new.tenant_id <> old.tenant_id)
  execute function tally_refuse_going_back();

-- A full tile is written by the transaction that adds its last record, between the records and the head.
create function tally_check_tile() returns trigger
language plpgsql set search_path = pg_catalog, public, pg_temp as $$
begin
  if pg_has_role((select relowner from pg_class where oid = tg_relid), 'member') or exists (
    select from public.audit_chain_state s
     where s.tenant_id = new.tenant_id and s.appended_epoch = new.epoch and new.level between 0 and 6 and new.index >= 0
       and (new.index + 1) * power(256::numeric, new.level + 1) - 1 <= s.appended_to
       and (s.epoch < new.epoch or (new.index + 1) * power(256::numeric, new.level + 1) - 1 > s.last_sequence)) then
    return new;
  end if;
  raise exception 'tile %/% of epoch % of % does not belong to new records', new.level, new.index, new.epoch, new.tenant_id
    using errcode = 'insufficient_privilege';
end
$$;
create trigger follows_head before insert on audit_tiles for each row execute function tally_check_tile();

-- The service writes to the partitions, where a unique index covers each position. A trigger on the parent could not
-- compare positions in two partitions.
revoke insert on audit_records from tally_writer;
drop policy writer_inserts on audit_records;

create function tally_guard_partition(partition regclass) returns void language plpgsql
set search_path = pg_catalog, public, pg_temp as $$
begin
  execute format(
    'create trigger follows_head after insert on %s referencing new table as new_records
       for each statement execute function public.tally_check_append()', partition);
end
$$;
revoke all on function tally_guard_partition(regclass) from public;

select tally_guard_partition(inhrelid::regclass) from pg_inherits where inhparent = 'audit_records'::regclass;

-- As in 0002_records.sql, and with the trigger for each new partition.
create or replace function tally_ensure_partitions(months_ahead integer default 3) returns integer
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
    perform public.tally_guard_partition(('public.' || quote_ident(partition))::regclass);
    made := made + 1;
  end loop;
  return made;
end
$$;

-- The strays that the owner removed (`tally strays`), with their bytes. Each is recorded in a chain; chained_at says when.
create table audit_removed_strays (
  id         bigint generated always as identity primary key,
  tenant_id  text        not null,
  kind       text        not null check (kind in ('record', 'tile')),
  epoch      integer     not null,
  -- The sequence number of a record, level/index of a tile.
  place      text        not null,
  audit_id   uuid,
  content    bytea       not null,
  reason     text        not null,
  removed_at timestamptz not null default clock_timestamp(),
  chained_at timestamptz
);
create index audit_removed_strays_open on audit_removed_strays (tenant_id, id) where chained_at is null;
grant select on audit_removed_strays to tally_writer;
grant update (chained_at) on audit_removed_strays to tally_writer;

-- Rows of a chain can't be changed. The owner can delete strays, and nothing else.
create function tally_refuse_change_of_chain() returns trigger
language plpgsql set search_path = pg_catalog, public, pg_temp as $$
begin
  if tg_op = 'DELETE' and pg_has_role((select relowner from pg_class where oid = tg_relid), 'member') then
    if tg_argv[0] = 'record' then
      if not exists (
        select from public.audit_chain_ranges g
         where g.tenant_id = old.tenant_id and g.epoch = old.epoch and old.sequence_number between 0 and g.last_sequence) then
        return old;
      end if;
    elsif not exists (
      select from public.audit_chain_ranges g
       where g.tenant_id = old.tenant_id and g.epoch = old.epoch and old.level between 0 and 6 and old.index >= 0
         and old.index < (g.last_sequence + 1) / (256::bigint << (8 * old.level))) then
      return old;
    end if;
  end if;
  raise exception 'the audit trail is append-only: % on % is refused', tg_op, tg_table_name
    using errcode = 'insufficient_privilege';
end
$$;
drop trigger append_only on audit_records;
create trigger append_only before update or delete on audit_records
  for each row execute function tally_refuse_change_of_chain('record');
drop trigger append_only on audit_tiles;
create trigger append_only before update or delete on audit_tiles
  for each row execute function tally_refuse_change_of_chain('tile');
