-- Tenants that the primary key of audit_chain_state holds in another order than their collation: with such an index, look-ups
-- miss rows. The caller has switched off every plan but the scan of the index.
select count(*)::integer as misplaced
  from (select tenant_id <= lag(tenant_id) over () as wrong
          from (select tenant_id from audit_chain_state order by tenant_id) as in_order_of_index) as pairs
 where wrong
