-- One dead letter with its bytes, by the primary key. $2 is null for all dead letters, also those without a tenant.
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
       settled_by,
       raw,
       chain
  from audit_dead_letters
 where id = $1::uuid and ($2::text[] is null or tenant_id = any ($2))
