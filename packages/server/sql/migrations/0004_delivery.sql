-- What the service refused, with the raw bytes: nothing that reached it is lost. The id is derived from source and
-- content, so that a redelivery counts up instead of adding a row.
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
  -- open, or how it was settled: retried, purged
  state         text        not null default 'open' check (state in ('open', 'retried', 'purged')),
  settled_at    timestamptz,
  settled_by    text
);
create index audit_dead_letters_open on audit_dead_letters (first_seen_at, id) where state = 'open';

-- Where each source is read up to. Keyed by topic *id*: a topic made anew under an old name starts again at 0.
create table audit_source_positions (
  cluster_id  text    not null,
  topic_id    text    not null,
  partition   integer not null,
  topic       text    not null,
  next_offset bigint  not null,
  updated_at  timestamptz not null default clock_timestamp(),
  primary key (cluster_id, topic_id, partition)
);

-- Producers, one row for each (submitter, producer, tenant): how far their numbering is settled without a hole.
create table audit_producers (
  submitter     text        not null,
  producer_id   uuid        not null,
  tenant_id     text        not null,
  service       text,
  -- Every number up to here is settled: chained, duplicate, dead-lettered or declared lost.
  settled_to    bigint      not null default 0,
  highest_seen  bigint      not null default 0,
  -- What the producer said at close; null for one that has not said.
  final_seq     bigint,
  first_seen_at timestamptz not null default clock_timestamp(),
  last_seen_at  timestamptz not null default clock_timestamp(),
  primary key (submitter, producer_id, tenant_id)
);

-- Settled numbers above settled_to, as ranges: what lies between them is open, until it turns up or is declared lost.
create table audit_producer_ranges (
  submitter   text   not null,
  producer_id uuid   not null,
  tenant_id   text   not null,
  first_seq   bigint not null,
  last_seq    bigint not null check (last_seq >= first_seq),
  primary key (submitter, producer_id, tenant_id, first_seq)
);

-- Erasable values of sealed fields (spec/record.md). Not append-only: erasing is what it is for.
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

-- Keys are 256 random bits, so a plain SHA-256 of the secret is as good as any slow hash.
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
