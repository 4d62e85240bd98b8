-- Dead letters that a purge erases, oldest first, with the hash of their bytes. $1 is null for all dead letters, also those
-- without a tenant. A purge is rare and may read the whole table.
select id::text as id, tenant_id, reason, chain, encode(sha256(raw), 'hex') as raw_sha256
  from audit_dead_letters
 where state <> 'purged'
   and ($1::text[] is null or tenant_id = any ($1))
   and ($2::uuid[] is null or id = any ($2))
   and ($3::text is null or state = $3)
   and ($4::text is null or reason = $4)
   and ($5::text is null or (source like 'kafka:%' and split_part(source, '/', 2) = $5))
   and ($6::timestamptz is null or last_seen_at < $6)
 order by first_seen_at, id
 limit $7::integer
