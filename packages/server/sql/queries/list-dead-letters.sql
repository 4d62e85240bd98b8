-- Dead letters, oldest first. For state open, which is the usual query, through audit_dead_letters_open (first_seen_at, id).
-- $2 is null for all dead letters, also those without a tenant. Times have microseconds, so that the next page continues
-- exactly after the last row.
select id::text as id,
       tenant_id,
       audit_id,
       source,
       principal,
       producer_id::text as producer_id,
       producer_seq,
       reason,
       pointer,
       message,
       octet_length(raw) as bytes,
       to_char(first_seen_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') as first_seen_at,
       to_char(last_seen_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') as last_seen_at,
       seen,
       state,
       settled_at,
       settled_by
  from audit_dead_letters
 where state = $1
   and ($2::text[] is null or tenant_id = any ($2))
   and ($3::text is null or reason = $3)
   and ($4::text is null or (source like 'kafka:%' and split_part(source, '/', 2) = $4))
   and ($5::timestamptz is null or last_seen_at < $5)
   and ($6::timestamptz is null or (first_seen_at, id) > ($6, $7::uuid))
 order by first_seen_at, id
 limit $8::integer
