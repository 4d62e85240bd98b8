-- The newest record of a tenant's chain, by the primary key of audit_chain_state.
select epoch, last_sequence, encode(last_hash, 'hex') as last_hash
  from audit_chain_state
 where tenant_id = $1 and last_sequence >= 0
