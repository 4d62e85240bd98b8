-- Each change of an approval rule, and each begin and end of an operation, is a chained record (spec/approvals.md).
-- An earlier version does not write these records, so it must not work with this schema.
alter table audit_operations
  -- Random hex digits. The record of the end has the digest of this salt and the outcome, so the digest can't be guessed.
  add column outcome_salt text,
  -- The row is from before these records. Only this migration sets it.
  add column of_earlier_version boolean not null default false;
alter table audit_approval_rules add column of_earlier_version boolean not null default false;
update audit_operations set of_earlier_version = true;
update audit_approval_rules set of_earlier_version = true;
create index audit_operations_of_earlier_version on audit_operations (tenant_id, idempotency_key) where of_earlier_version;

-- The service can't give a row the mark of an earlier version, which would let it be put on record later than its change.
revoke insert, update on audit_operations, audit_approval_rules from tally_writer;
grant insert (tenant_id, idempotency_key, document_digest, intent_id, begun_by, begun_at) on audit_operations to tally_writer;
grant update (outcome, outcome_salt) on audit_operations to tally_writer;
grant insert (tenant_id, action, rules, updated_at, updated_by) on audit_approval_rules to tally_writer;
grant update (rules, updated_at, updated_by) on audit_approval_rules to tally_writer;
