-- The sequence numbers that a span of ingested_at covers: partitions are pruned by time, and within a chain sequence
-- and ingested_at rise together, so this is one walk over the span's index entries.
select min(r.sequence_number) as first, max(r.sequence_number) as last
  from audit_records r
 where r.tenant_id = $1 and r.epoch = $2::integer
   and ($3::timestamptz is null or r.ingested_at >= $3)
   and ($4::timestamptz is null or r.ingested_at < $4)
