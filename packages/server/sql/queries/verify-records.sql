-- Records with all columns that the store has beside them, in chain order, so that the verifier can compare them. Through each
-- partition's unique (tenant_id, epoch, sequence_number). Records have milliseconds; the texts of times show microseconds where a
-- column has any, so that such a change is found.
select r.sequence_number,
       encode(r.record_hash, 'hex') as record_hash,
       r.record,
       r.tenant_id,
       regexp_replace(to_char(r.ingested_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US'), '000$', '') || 'Z' as ingested_at,
       encode(r.previous_hash, 'hex') as previous_hash,
       r.audit_id::text as audit_id,
       regexp_replace(to_char(r."timestamp" at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US'), '000$', '') || 'Z' as "timestamp",
       r.event_type,
       r.event_category,
       r.severity,
       r.actor_type,
       r.actor_id,
       r.target_type,
       r.target_id,
       r.investigation_id,
       r.alert_id,
       r.correlation_id,
       r.trace_id,
       r.outcome_status,
       r.source_service,
       r.is_sensitive
  from audit_records r
 where r.tenant_id = $1 and r.epoch = $2::integer
   and r.sequence_number between $3::bigint and $4::bigint
 order by r.sequence_number
 limit $5::integer
