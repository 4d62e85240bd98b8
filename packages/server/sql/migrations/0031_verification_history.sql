-- additive
-- The history of verifications. A long chain is checked in parts: the parts of one run follow each other, and each row says what the run
-- has found until then. Rows of earlier versions have no caller and belong to no run.
alter table audit_verification_log
  add column checked_by  text,
  add column epoch       integer,
  -- The id of the run's first row; null: this row begins a run.
  add column run_id      bigint,
  -- The worst verdict of the run until this row.
  add column run_verdict text,
  -- The run began with the chain's first record.
  add column from_start  boolean not null default false,
  -- The run has reached the record that was the newest of the chain.
  add column to_end      boolean not null default false;
create index audit_verification_log_tenant on audit_verification_log (tenant_id, id);
-- When was a chain last checked as a whole?
create index audit_verification_log_whole on audit_verification_log (tenant_id, epoch, id) where from_start and to_end;
