-- Records of events that happened between $2 and $3, at most $4, and how many were read. $5 and $6 bound ingested_at, and so the partitions; $7 is
-- the epoch. The order is that of audit_records_timestamp (tenant_id, "timestamp"). There is no other condition, so the statement reads no further
-- than the limit. The server plans it once per connection.
select count(*)::integer as read,
       coalesce(string_agg(t.sequence_number::text, ',') filter (where t.epoch = $7::integer), '') as sequences
  from (
    select d.epoch, d.sequence_number
      from audit_records d
     where d.tenant_id = $1
       and d."timestamp" >= $2::timestamptz
       and d."timestamp" < $3::timestamptz
       and d.ingested_at >= $5::timestamptz
       and d.ingested_at < $6::timestamptz
     order by d.tenant_id, d."timestamp"
     limit $4::integer
  ) t
