-- The newest record of a tenant's chain, by the primary key of audit_chain_state, and the last sequence number of its epoch: a closed epoch may end
-- before the head.
select epoch, last_sequence, encode(last_hash, 'hex') as last_hash,
       (select min(g.last_sequence) from audit_chain_ranges g where g.tenant_id = $1 and g.epoch = h.epoch) as end_of_epoch
  from audit_chain_state h
 where tenant_id = $1 and last_sequence >= 0
