-- Whether a range of the chain contains a sensitive record. Scans the partition's unique (tenant_id, epoch, sequence_number),
-- which costs no more than the export that follows.
select exists (
  select 1 from audit_records r
   where r.tenant_id = $1 and r.epoch = $2::integer
     and r.sequence_number between $3::bigint and $4::bigint
     and r.is_sensitive) as found
