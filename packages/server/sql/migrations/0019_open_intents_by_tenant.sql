-- additive
-- The list of one tenant's open intents, in the order of their deadlines: the rows of other tenants are not read.
create index audit_open_intents_tenant on audit_open_intents (generation, tenant_id, deadline, intent_id);
