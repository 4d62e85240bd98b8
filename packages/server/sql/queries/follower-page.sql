-- Records of one epoch of a tenant's chain, in chain order.
--   $1 tenant, $2 epoch, $3 and $4 first and last sequence number, $5 most records, $6 most bytes (one record at least)
-- Uses the partitions' unique index (tenant_id, epoch, sequence_number).
select sequence_number, record
  from (
    select p.*, sum(octet_length(record)) over (order by sequence_number rows unbounded preceding) - octet_length(record) as bytes_before
      from (
        select r.sequence_number, r.record
          from audit_records r
         where r.tenant_id = $1 and r.epoch = $2::integer and r.sequence_number between $3::bigint and $4::bigint
         order by r.sequence_number
         limit $5::integer
      ) p
  ) q
 where bytes_before < $6::bigint
 order by sequence_number
