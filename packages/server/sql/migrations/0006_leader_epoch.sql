-- additive
-- leader_epoch is the leader epoch of the last stored message, and leader_epoch_at the next_offset that belongs to it. A
-- replica of an older version changes only next_offset. Then the two offsets differ, and the leader epoch is unknown.
alter table audit_source_positions
  add column leader_epoch    integer,
  add column leader_epoch_at bigint;
