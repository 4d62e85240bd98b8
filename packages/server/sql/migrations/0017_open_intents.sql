-- additive
-- Actions of agents whose end is not in the chain yet, ends whose intent is not there, and those of both that the service has put on
-- record. The follower `open-intents` keeps them.
create table audit_open_intents (
  generation      integer     not null,
  tenant_id       text        not null,
  -- The intent; for an end that names none, the id of the end itself.
  intent_id       uuid        not null,
  -- open: an intent without an end. early: an end without an intent. unresolved, unexplained: the same, and the chain says so.
  state           text        not null check (state in ('open', 'early', 'unresolved', 'unexplained')),
  -- The record that the row is about: of the intent, or of the end.
  audit_id        uuid        not null,
  epoch           integer     not null,
  sequence_number bigint      not null,
  ingested_at     timestamptz not null,
  event_type      text        not null,
  actor_type      text        not null,
  actor_id        text        not null,
  action          text,
  target_type     text,
  target_id       text,
  is_sensitive    boolean     not null,
  -- How long the effect may take, by the clock of its client.
  duration_ms     bigint      not null,
  -- When the end must be in the chain, by the clock of the database.
  deadline        timestamptz not null,
  -- The same moment by the clock of the client.
  client_deadline timestamptz not null,
  -- An approval of the service's desk is pending: the deadline begins when it ends.
  waiting         boolean     not null default false,
  -- Where the record came from, and its number in the account of its producer.
  source          text        not null,
  submitter       text        not null,
  producer_id     uuid,
  producer_seq    bigint,
  -- A higher number of the same producer, of an event that it emitted after the deadline.
  passed_seq      bigint,
  -- When the row is looked at again. Null: nothing is due.
  check_at        timestamptz,
  -- All sources had caught up when the chain reached this record. The follower must have read it.
  ready_epoch     integer,
  ready_sequence  bigint,
  -- The service's record about it.
  record_id       uuid,
  primary key (generation, tenant_id, intent_id)
);
create index audit_open_intents_due on audit_open_intents (generation, check_at) where check_at is not null;
create index audit_open_intents_ready on audit_open_intents (generation, tenant_id) where ready_epoch is not null;
create index audit_open_intents_producer on audit_open_intents (generation, tenant_id, producer_id) where state = 'open' and passed_seq is null;
create index audit_open_intents_list on audit_open_intents (generation, deadline, intent_id);
grant select, insert, update, delete on audit_open_intents to tally_writer;

-- How far a partition of a topic was known to be read: `drained_at` is the last time at which no message was left in it, and `checked_at`
-- the last time at which a replica looked. `added_at` shows a partition that a topic got later.
alter table audit_source_positions
  add column checked_at timestamptz,
  add column drained_at timestamptz,
  add column added_at   timestamptz;
alter table audit_source_positions alter column added_at set default clock_timestamp();
