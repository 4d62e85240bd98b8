-- When a record that is written now may be dated: by the store's clock, and not before the tenant's newest record.
select greatest(clock_timestamp(), last_ingested_at) as at from audit_chain_state where tenant_id = $1 and last_sequence >= 0
