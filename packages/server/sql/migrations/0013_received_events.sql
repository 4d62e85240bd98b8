-- additive
-- HMACs of events as they were received, of those events only that redaction changed. They decide whether an event that is sent again
-- is the same one. The key is in the signer's store. Rows are deleted after 90 days, some with each batch that adds one.
create table audit_received_events (
  tenant_id   text        not null,
  audit_id    uuid        not null,
  fingerprint bytea       not null,
  received_at timestamptz not null default clock_timestamp(),
  primary key (tenant_id, audit_id)
);
create index audit_received_events_age on audit_received_events (received_at);
-- UPDATE only to lock the rows that it deletes, so that two replicas never wait for each other.
grant select, insert, update, delete on audit_received_events to tally_writer;
