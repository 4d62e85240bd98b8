-- additive
-- The producer of a refused event and its number, if the delivery named them. A retry submits the event with both.
alter table audit_dead_letters add column producer_id uuid, add column producer_seq bigint;
