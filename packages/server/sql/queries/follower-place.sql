-- Where a follower is in the chain of a tenant, and how far the chain reaches.
--   $1 follower, $2 generation, $3 tenant
-- One row, also for a tenant that has no chain or that the follower has not begun.
select c.epoch, c.sequence_number, encode(c.record_hash, 'hex') as record_hash, c.stopped_code,
       h.epoch as head_epoch, h.last_sequence as head_sequence,
       -- The end of the cursor's epoch.
       (select g.last_sequence from audit_chain_ranges g where g.tenant_id = $3 and g.epoch = coalesce(c.epoch, 1)) as epoch_end,
       -- The epoch after it.
       (select min(g.epoch) from audit_chain_ranges g where g.tenant_id = $3 and g.epoch > coalesce(c.epoch, 1)) as next_epoch
  from (select 1) as one
  left join audit_follower_cursors c on c.follower = $1 and c.generation = $2::integer and c.tenant_id = $3
  left join audit_chain_state h on h.tenant_id = $3 and h.last_sequence >= 0
