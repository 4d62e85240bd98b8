-- additive
-- Who produced a refused event and its number there, as far as it was said: a retry chains it with both.
alter table audit_dead_letters add column producer_id uuid, add column producer_seq bigint;
