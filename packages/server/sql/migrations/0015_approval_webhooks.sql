-- additive
-- Messages of approvals that an endpoint has not accepted yet. A row is written in the transaction that changes the approval, and
-- deleted once the endpoint has accepted it.
create table audit_webhook_deliveries (
  -- Name of the endpoint in the service's options.
  endpoint        text        not null,
  -- `audit_id` of the record of the change: the id of the message, the same for every attempt.
  id              uuid        not null,
  tenant_id       text        not null,
  event_type      text        not null,
  -- The bytes that are signed and sent.
  body            text        not null,
  created_at      timestamptz not null default clock_timestamp(),
  -- Counted when an attempt begins, so that an attempt that ends its process counts too.
  attempts        integer     not null default 0,
  -- While an attempt runs: when another replica may try. Null: given up.
  next_attempt_at timestamptz default clock_timestamp(),
  last_error      text,
  primary key (endpoint, id)
);
create index audit_webhook_deliveries_due on audit_webhook_deliveries (endpoint, next_attempt_at)
  where next_attempt_at is not null;
grant select, insert, update, delete on audit_webhook_deliveries to tally_writer;
