-- Dead letters: events that the service refused, with the bytes that it received. The id is derived from source and content,
-- so a redelivery increments `seen` and adds no row.
create table audit_dead_letters (
  id            uuid        primary key,
  tenant_id     text,
  audit_id      text,
  source        text        not null,
  principal     text,
  reason        text        not null,
  pointer       text        not null,
  message       text        not null,
  raw           bytea       not null,
  first_seen_at timestamptz not null default clock_timestamp(),
  last_seen_at  timestamptz not null default clock_timestamp(),
  seen          bigint      not null default 1,
  -- retried and purged are the ways to settle a dead letter
  state         text        not null default 'open' check (state in ('open', 'retried', 'purged')),
  settled_at    timestamptz,
  settled_by    text
);
create index audit_dead_letters_open on audit_dead_letters (first_seen_at, id) where state = 'open';

-- How far each source is read. The key has the topic id, so a topic that is deleted and created again starts at 0.
create table audit_source_positions (
  cluster_id  text    not null,
  topic_id    text    not null,
  partition   integer not null,
  topic       text    not null,
  next_offset bigint  not null,
  updated_at  timestamptz not null default clock_timestamp(),
  primary key (cluster_id, topic_id, partition)
);

-- Accounts of producers: one row per (submitter, producer, tenant), with the number up to which all numbers are settled.
create table audit_producers (
  submitter     text        not null,
  producer_id   uuid        not null,
  tenant_id     text        not null,
  service       text,
  -- Every number up to here is settled: chained, duplicate, dead-lettered or declared lost.
  settled_to    bigint      not null default 0,
  highest_seen  bigint      not null default 0,
  -- The last number, which the producer declares when it closes; null before that.
  final_seq     bigint,
  first_seen_at timestamptz not null default clock_timestamp(),
  last_seen_at  timestamptz not null default clock_timestamp(),
  primary key (submitter, producer_id, tenant_id)
);

-- Settled numbers above settled_to, as ranges. Numbers between the ranges are open until they arrive or are declared lost.
create table audit_producer_ranges (
  submitter   text   not null,
  producer_id uuid   not null,
  tenant_id   text   not null,
  first_seq   bigint not null,
  last_seq    bigint not null check (last_seq >= first_seq),
  primary key (submitter, producer_id, tenant_id, first_seq)
);

-- Values of sealed fields (spec/record.md). The table is not append-only, because these values can be erased.
create table audit_sealed (
  tenant_id text  not null,
  audit_id  uuid  not null,
  pointer   text  not null,
  salt      bytea not null,
  value     text  not null,
  primary key (tenant_id, audit_id, pointer)
);

create table audit_verification_log (
  id          bigint generated always as identity primary key,
  tenant_id   text        not null,
  verified_at timestamptz not null default clock_timestamp(),
  verdict     text        not null,
  covered_to  bigint,
  report      jsonb       not null
);

create table audit_legal_holds (
  id          uuid        primary key,
  tenant_id   text        not null,
  reason      text        not null,
  placed_at   timestamptz not null default clock_timestamp(),
  placed_by   text        not null,
  released_at timestamptz,
  released_by text
);

-- API keys. Secrets have 256 random bits, so a slow password hash would not protect them better than SHA-256.
create table audit_api_keys (
  id           text        primary key,
  name         text        not null,
  secret_hash  bytea       not null,
  scopes       text[]      not null,
  -- Null: every tenant.
  tenants      text[],
  created_at   timestamptz not null default clock_timestamp(),
  expires_at   timestamptz,
  revoked_at   timestamptz
);

grant select, insert, update on audit_dead_letters, audit_source_positions, audit_producers, audit_api_keys to tally_writer;
grant select, insert, update, delete on audit_producer_ranges, audit_sealed to tally_writer;
grant select, insert on audit_verification_log, audit_legal_holds to tally_writer;
grant delete on audit_dead_letters to tally_writer;
