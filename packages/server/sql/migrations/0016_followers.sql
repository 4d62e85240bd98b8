-- additive
-- Followers: parts of the service that read each chain from its start to its head and keep something derived from it.
create table audit_followers (
  name       text primary key,
  -- `database`: the effect commits together with the cursor. `outside`: it does not.
  effect     text    not null check (effect in ('database', 'outside')),
  -- The generation of cursors and effect rows that readers use.
  generation integer not null default 1,
  -- A generation that is filled beside it, after a reset. Null: none.
  building   integer check (building > generation),
  -- The generation in use waits, so that the one that is built can overtake it.
  holding    boolean not null default false,
  paused_at  timestamptz,
  paused_by  text
);

-- How far a follower has read the chain of a tenant. Its owner moves the cursor by compare-and-swap: an owner that was frozen finds
-- another position, and changes nothing.
create table audit_follower_cursors (
  follower        text        not null,
  generation      integer     not null,
  tenant_id       text        not null,
  epoch           integer     not null,
  -- The last record that was read; -1 before the first one.
  sequence_number bigint      not null,
  -- SHA-256 of its bytes; empty before the first one.
  record_hash     bytea       not null,
  moved_at        timestamptz not null default clock_timestamp(),
  -- Why the follower does not go on for this tenant. Null: it does.
  stopped_code    text,
  stopped_reason  text,
  stopped_at      timestamptz,
  primary key (follower, generation, tenant_id)
) with (fillfactor = 50);
create index audit_follower_cursors_stopped on audit_follower_cursors (follower, generation, tenant_id) where stopped_code is not null;

-- Which replica works for which tenants. Tenants are divided into buckets by the first byte of the SHA-256 of their id.
create table audit_follower_leases (
  bucket     integer     primary key,
  holder     uuid        not null,
  expires_at timestamptz not null
) with (fillfactor = 50);

-- Replicas that run followers. `awake_since` is the start of the time in which at least one of them ran without a break.
create table audit_follower_replicas (
  holder     uuid        primary key,
  expires_at timestamptz not null
) with (fillfactor = 50);
create table audit_follower_clock (
  one         boolean     primary key default true check (one),
  awake_since timestamptz not null,
  awake_at    timestamptz not null
) with (fillfactor = 50);

-- Tenants whose chains grew in a replica that does not hold their bucket. The holder takes the rows. A lost row delays a follower until
-- the next comparison of heads and cursors.
create table audit_follower_wakes (
  tenant_id text    primary key,
  bucket    integer not null
);

grant select, insert, update on audit_followers to tally_writer;
grant select, insert, update, delete on audit_follower_cursors, audit_follower_leases, audit_follower_replicas, audit_follower_clock,
  audit_follower_wakes to tally_writer;
