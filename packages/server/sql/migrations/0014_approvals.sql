-- additive
-- Approvals of actions of agents. A row is what the desk works with; each change is also a record in the tenant's chain, written in
-- the transaction that changes the row.
create table audit_approvals (
  tenant_id     text        not null,
  id            uuid        not null,
  state         text        not null,
  -- JSON text, kept as it is: jsonb would change the numbers of the document, which has a digest.
  approval      text        not null,
  -- Compared and increased by each change, so that of two changes at once only one succeeds.
  version       bigint      not null default 1,
  -- When a reminder, an escalation, a time-out or an expiry is due; null in a final state.
  next_deadline timestamptz,
  created_at    timestamptz not null,
  primary key (tenant_id, id)
);
create index audit_approvals_due on audit_approvals (next_deadline) where next_deadline is not null;
create index audit_approvals_newest on audit_approvals (tenant_id, created_at desc, id desc);

-- The least strict rules of actions. `*` stands for every tenant, or every action.
create table audit_approval_rules (
  tenant_id  text        not null,
  action     text        not null,
  rules      text        not null,
  updated_at timestamptz not null default clock_timestamp(),
  updated_by text        not null,
  primary key (tenant_id, action)
);

-- Operations with an idempotency key: each begins at most once.
create table audit_operations (
  tenant_id       text        not null,
  idempotency_key text        not null,
  document_digest text        not null,
  intent_id       uuid        not null,
  begun_by        text        not null,
  begun_at        timestamptz not null default clock_timestamp(),
  -- JSON text; null while the operation runs, and if its process died.
  outcome         text,
  primary key (tenant_id, idempotency_key)
);

-- The person or agent who uses a key. Two keys of one person have the same subject. Null: the key stands for itself.
alter table audit_api_keys add column subject text;

-- As before, with the subject.
create or replace function tally_create_api_key(chain text, record_id uuid, secret bytea) returns void
language plpgsql security definer set search_path = pg_catalog, public, pg_temp as $$
declare
  event jsonb := public.tally_key_event(chain, record_id, 'audit.key_created');
  facts jsonb := event -> 'metadata';
begin
  if encode(sha256(secret), 'hex') is distinct from facts ->> 'secret_sha256' then
    raise exception 'the secret is not the one of the record' using errcode = 'insufficient_privilege';
  end if;
  insert into public.audit_api_keys (id, name, secret_hash, scopes, tenants, created_at, expires_at, chain, subject)
  values (facts ->> 'key_id', facts ->> 'name', secret,
          array(select jsonb_array_elements_text(facts -> 'scopes')),
          case when facts ? 'tenants' then array(select jsonb_array_elements_text(facts -> 'tenants')) end,
          (event ->> 'timestamp')::timestamptz, (facts ->> 'expires_at')::timestamptz, chain, facts ->> 'subject');
end
$$;

grant select, insert, update on audit_approvals, audit_operations to tally_writer;
grant select, insert, update, delete on audit_approval_rules to tally_writer;
