-- additive
-- In which term of the partition's leader the last message was written that the store has of it, and the next_offset that
-- this was said of: a replica of an older version moves the position and not these, and then nothing is known.
alter table audit_source_positions
  add column leader_epoch    integer,
  add column leader_epoch_at bigint;
