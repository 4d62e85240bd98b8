-- Records of one epoch between the sequence numbers $3 and $4 whose events happened between $5 and $6, at most $7. $8 and $9 bound ingested_at,
-- and so the partitions. The order is that of audit_records_timestamp (tenant_id, "timestamp"), so the statement reads no further than the limit;
-- +0 keeps the planner to this index. The server plans it once per connection.
select d.sequence_number
  from audit_records d
 where d.tenant_id = $1
   and d.epoch + 0 = $2::integer
   and d.sequence_number + 0 between $3::bigint and $4::bigint
   and d."timestamp" >= $5::timestamptz
   and d."timestamp" < $6::timestamptz
   and d.ingested_at >= $8::timestamptz
   and d.ingested_at < $9::timestamptz
 order by d.tenant_id, d."timestamp"
 limit $7::integer
