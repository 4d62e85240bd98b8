-- Claims a key for each event of a request, in the order of the primary key, so that two requests never wait for each other. A
-- row that is in use stays as it is; the statement waits for a transaction that has just inserted it. A row that is older than
-- seven days is replaced.
insert into audit_idempotency_keys as k (principal, tenant_id, key, index, audit_id, "timestamp", body_sha256)
select $1, c.tenant_id, $2, c.index, c.audit_id, $3::timestamptz, $4::bytea
  from unnest($5::text[], $6::integer[], $7::uuid[]) as c(tenant_id, index, audit_id)
 order by c.tenant_id, c.index
    on conflict (principal, tenant_id, key, index) do update
   set audit_id = excluded.audit_id, "timestamp" = excluded."timestamp",
       body_sha256 = excluded.body_sha256, created_at = excluded.created_at
 where k.created_at < clock_timestamp() - interval '7 days'
