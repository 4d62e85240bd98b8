-- A page of a chain without filters, the newest record first, and the head of the chain. Without records it is one row of nulls.
--   $1 tenant, $2 the last record of the page at most; null: the head, $3 most records, $4 whether the reader sees sensitive ones,
--   $5 most bytes of the records together, except for the first, $6 and $7 bounds of ingested_at, which name the partitions of the page
-- The bounds of the sequence numbers are those of the partitions' unique (tenant_id, epoch, sequence_number). The server plans the
-- statement once per connection, and leaves out partitions when it runs.
select h.epoch as head_epoch, h.last_sequence as head_sequence, p.epoch, p.sequence_number, p.audit_id, p.ingested_at, p.is_sensitive,
       p.previous_hash, p.record_hash, p.event_type, p.record
  from audit_chain_state h
  left join lateral (
    select d.epoch,
           d.sequence_number,
           d.audit_id::text as audit_id,
           d.ingested_at,
           d.is_sensitive,
           encode(d.previous_hash, 'hex') as previous_hash,
           encode(d.record_hash, 'hex') as record_hash,
           d.event_type,
           -- What the reader may not see does not leave the store.
           case when d.is_sensitive and not $4::boolean then null else d.record end as record,
           sum(octet_length(d.record)) over (order by d.sequence_number desc rows unbounded preceding)
             - octet_length(d.record) as bytes_before
      from audit_records d
     where d.tenant_id = $1
       and d.epoch = h.epoch
       and d.sequence_number > least($2::bigint, h.last_sequence) - $3::integer
       and d.sequence_number <= least($2::bigint, h.last_sequence)
       and d.ingested_at >= $6::timestamptz
       and d.ingested_at < $7::timestamptz
     order by d.sequence_number desc
     limit $3::integer
  ) p on p.bytes_before < $5::bigint
 where h.tenant_id = $1
   and h.last_sequence >= 0
