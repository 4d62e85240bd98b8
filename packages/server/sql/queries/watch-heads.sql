-- Heads of all tenants that have followers, in one query, by the primary key of audit_chain_state.
select tenant_id, epoch, last_sequence
  from audit_chain_state
 where tenant_id = any ($1::text[]) and last_sequence >= 0
