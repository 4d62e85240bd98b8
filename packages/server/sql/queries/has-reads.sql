-- Whether a range of one epoch has records of reads that match {filters}, with parameters from $5 on. Uses
-- audit_records_event_type (tenant_id, event_type, sequence_number).
select exists (
  select
    from audit_records r
   where r.tenant_id = $1
     and r.epoch = $2::integer
     and r.sequence_number between greatest($3::bigint, 0) and least($4::bigint,
           coalesce((select min(g.last_sequence) from audit_chain_ranges g where g.tenant_id = $1 and g.epoch = $2::integer), -1))
     {only_reads}
     {filters}
) as found
