-- additive
-- What the service filled in for events that came with the header Idempotency-Key: a retry of the same request gets the same
-- audit_id and timestamp, so it adds nothing. A row is committed before the event is admitted, and is used for seven days.
create table audit_idempotency_keys (
  principal   text        not null,
  tenant_id   text        not null,
  key         text        not null,
  -- Place of the event in the request, from 0.
  index       integer     not null,
  audit_id    uuid        not null,
  "timestamp" timestamptz not null,
  -- Of the whole body, unpacked: the same key with another body is a mistake of the client.
  body_sha256 bytea       not null,
  created_at  timestamptz not null default clock_timestamp(),
  primary key (principal, tenant_id, key, index)
);
create index audit_idempotency_keys_created on audit_idempotency_keys (created_at);
grant select, insert, update, delete on audit_idempotency_keys to tally_writer;
