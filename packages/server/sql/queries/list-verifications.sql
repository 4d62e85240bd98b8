-- Verifications of a tenant's chain, the newest first, through audit_verification_log_tenant.
-- $1 tenant, $2 only those with a smaller id; null for all, $3 limit
select id, coalesce(run_id, id) as run_id, tenant_id, verified_at as checked_at, checked_by, verdict,
       (report ->> 'epoch')::integer as epoch,
       (report ->> 'first')::bigint as first,
       (report ->> 'last')::bigint as last,
       (report ->> 'records')::bigint as records,
       (report ->> 'unsigned_tail')::bigint as unsigned_tail,
       jsonb_array_length(report -> 'findings') as findings,
       report -> 'findings' -> 0 as first_finding,
       from_start and to_end as whole
  from audit_verification_log
 where tenant_id = $1
   and ($2::bigint is null or id < $2::bigint)
 order by id desc
 limit $3::integer
