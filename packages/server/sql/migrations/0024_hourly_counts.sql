-- additive
-- How many records of a tenant happened in each hour (UTC), by the values of the fields that records are counted by. The follower
-- `hourly-counts` keeps them (spec/hourly-counts.md).
create table audit_hourly_counts (
  generation     integer     not null,
  tenant_id      text        not null,
  -- Each record counts in two rows: one with all fields, and one with `event_type` and `is_sensitive` alone, of which there are few.
  detailed       boolean     not null,
  hour           timestamptz not null,
  -- A digest of the fields below: together they may be longer than an entry of an index.
  combination    bytea       not null,
  event_type     text        not null,
  event_category text,
  severity       text,
  actor_type     text,
  actor_id       text,
  target_type    text,
  outcome_status text,
  source_service text,
  is_sensitive   boolean     not null,
  records        bigint      not null,
  primary key (generation, tenant_id, detailed, hour, combination)
) with (fillfactor = 70);
alter table audit_hourly_counts enable row level security;
create policy reader_by_tenant on audit_hourly_counts for select to tally_reader
  using (tenant_id = any (string_to_array(current_setting('tallystick.tenants', true), ',')));
create policy writer on audit_hourly_counts to tally_writer using (true) with check (true);
grant select on audit_hourly_counts to tally_reader;
grant select, insert, update, delete on audit_hourly_counts to tally_writer;

-- Up to which record of a tenant the counts reach, and their generation. No row where the follower has not begun, or has stopped. A
-- statement that calls it sees cursor and counts in one snapshot.
create function tally_hourly_counts_place(of_tenant text)
returns table (generation integer, epoch integer, sequence_number bigint)
language plpgsql stable security definer set search_path = pg_catalog, public, pg_temp as $$
begin
  if of_tenant is null or not coalesce(of_tenant = any (string_to_array(current_setting('tallystick.tenants', true), ',')), false) then
    raise exception 'the transaction has not set the tenant %', of_tenant using errcode = 'insufficient_privilege';
  end if;
  return query
    select f.generation, c.epoch, c.sequence_number
      from public.audit_followers f
      join public.audit_follower_cursors c on c.follower = f.name and c.generation = f.generation and c.tenant_id = of_tenant
     where f.name = 'hourly-counts' and c.stopped_code is null;
end
$$;
revoke all on function tally_hourly_counts_place(text) from public;
grant execute on function tally_hourly_counts_place(text) to tally_reader, tally_writer;
