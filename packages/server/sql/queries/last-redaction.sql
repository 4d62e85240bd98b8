-- The last record about the rules of redaction. Served by audit_records_event_type.
-- $1 tenant of the service
select r.record
  from audit_records r
  join audit_chain_ranges g
    on g.tenant_id = r.tenant_id and g.epoch = r.epoch and r.sequence_number between 0 and g.last_sequence
 where r.tenant_id = $1 and r.event_type = 'audit.redaction_changed'
 order by r.epoch desc, r.sequence_number desc
 limit 1
