-- Books: dead letters, API keys and accounts of producers. Each change of a dead letter or a key has a record in a chain, in
-- the same transaction, and the verification compares these tables with the records (spec/books.md). `chain` is the tenant
-- of that chain; null for a row of an earlier version until the service has put it on record.
alter table audit_dead_letters add column chain text;
alter table audit_api_keys add column chain text;
create index audit_dead_letters_unrecorded on audit_dead_letters (id) where chain is null;
create index audit_dead_letters_chain on audit_dead_letters (chain);

-- The runtime of an ephemeral producer may end it without notice, so that it can't always declare its last number.
alter table audit_producers add column is_ephemeral boolean not null default false;
-- For accounts of the same producer with other submitters.
create index audit_producers_producer on audit_producers (producer_id);

-- Dead letters are settled and never deleted.
revoke delete on audit_dead_letters from tally_writer;

-- A key exists only with the record of its creation: the service has no other way to add one.
revoke insert, update on audit_api_keys from tally_writer;

-- The record of a key, if the chain of its tenant has it.
create function tally_key_event(chain text, record_id uuid, kind text) returns jsonb
language plpgsql stable set search_path = pg_catalog, public, pg_temp as $$
declare
  found_record jsonb;
begin
  select r.record::jsonb into found_record
    from public.audit_records r
    join public.audit_chain_state s
      on s.tenant_id = r.tenant_id and s.epoch = r.epoch and r.sequence_number <= s.last_sequence
   where r.tenant_id = chain and r.audit_id = record_id and r.event_type = kind;
  if found_record is null or found_record #>> '{ingest,trust}' is distinct from 'service' then
    raise exception 'no record % of the service in the chain of %', kind, chain using errcode = 'insufficient_privilege';
  end if;
  return found_record -> 'event';
end
$$;
revoke all on function tally_key_event(text, uuid, text) from public;

-- Adds the key that an `audit.key_created` record describes. The hash of its secret is not in the record, only a digest of it.
create function tally_create_api_key(chain text, record_id uuid, secret bytea) returns void
language plpgsql security definer set search_path = pg_catalog, public, pg_temp as $$
declare
  event jsonb := public.tally_key_event(chain, record_id, 'audit.key_created');
  facts jsonb := event -> 'metadata';
begin
  if encode(sha256(secret), 'hex') is distinct from facts ->> 'secret_sha256' then
    raise exception 'the secret is not the one of the record' using errcode = 'insufficient_privilege';
  end if;
  insert into public.audit_api_keys (id, name, secret_hash, scopes, tenants, created_at, expires_at, chain)
  values (facts ->> 'key_id', facts ->> 'name', secret,
          array(select jsonb_array_elements_text(facts -> 'scopes')),
          case when facts ? 'tenants' then array(select jsonb_array_elements_text(facts -> 'tenants')) end,
          (event ->> 'timestamp')::timestamptz, (facts ->> 'expires_at')::timestamptz, chain);
end
$$;

-- Revokes a key. A revoked key stays revoked. Returns false if it was revoked before, null if there is no such key.
create function tally_revoke_api_key(key_id text, at timestamptz) returns boolean
language sql security definer set search_path = pg_catalog, public, pg_temp as $$
  with known as materialized (
    select id, revoked_at from public.audit_api_keys where id = key_id for update
  ), revoked as (
    update public.audit_api_keys k set revoked_at = at from known where k.id = known.id and known.revoked_at is null
  )
  select revoked_at is null from known
$$;

-- Notes the chain that has put keys of an earlier version on record.
create function tally_adopt_api_keys(key_ids text[], in_chain text) returns void
language sql security definer set search_path = pg_catalog, public, pg_temp as $$
  update public.audit_api_keys set chain = in_chain where id = any (key_ids) and chain is null
$$;

revoke all on function tally_create_api_key(text, uuid, bytea), tally_revoke_api_key(text, timestamptz),
  tally_adopt_api_keys(text[], text) from public;
grant execute on function tally_create_api_key(text, uuid, bytea), tally_revoke_api_key(text, timestamptz),
  tally_adopt_api_keys(text[], text) to tally_writer;
