-- additive
-- The history of verifications is bounded: with each check, the service deletes the oldest ones of the tenant (prune-verifications.sql).
grant delete on audit_verification_log to tally_writer;
