-- The first and last sequence number of a span of ingested_at. Partitions are pruned by time. Within a chain, sequence numbers
-- and ingested_at increase together, so this is one scan of the span's index entries.
select min(r.sequence_number) as first, max(r.sequence_number) as last
  from audit_records r
 where r.tenant_id = $1 and r.epoch = $2::integer
   and r.sequence_number between 0 and
         (select min(g.last_sequence) from audit_chain_ranges g where g.tenant_id = $1 and g.epoch = $2::integer)
   and ($3::timestamptz is null or r.ingested_at >= $3)
   and ($4::timestamptz is null or r.ingested_at < $4)
