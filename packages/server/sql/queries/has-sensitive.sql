-- Whether a range of the chain holds a sensitive record; a walk over the partition's unique
-- (tenant_id, epoch, sequence_number), no more than the export that it precedes.
select exists (
  select 1 from audit_records r
   where r.tenant_id = $1 and r.epoch = $2::integer
     and r.sequence_number between $3::bigint and $4::bigint
     and r.is_sensitive) as found
