-- Whether a range of the chain contains a sensitive record. Scans the partition's unique (tenant_id, epoch, sequence_number),
-- which costs no more than the export that follows.
select exists (
  select 1 from audit_records r
   where r.tenant_id = $1 and r.epoch = $2::integer
     and r.sequence_number between greatest($3::bigint, 0) and least($4::bigint,
           coalesce((select min(g.last_sequence) from audit_chain_ranges g where g.tenant_id = $1 and g.epoch = $2::integer), -1))
     and r.is_sensitive) as found
