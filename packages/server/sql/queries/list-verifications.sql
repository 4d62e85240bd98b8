-- Verifications of a tenant's chain, the newest first, through audit_verification_log_tenant.
-- $1 tenant, $2 only those with a smaller id; null for all, $3 limit
-- A report that was edited in the database may have any JSON, so its members are read by the service.
select id, coalesce(run_id, id) as run_id, tenant_id, verified_at as checked_at, checked_by, verdict,
       report -> 'epoch' as epoch,
       report -> 'first' as first,
       report -> 'last' as last,
       report -> 'records' as records,
       report -> 'unsigned_tail' as unsigned_tail,
       case jsonb_typeof(report -> 'findings') when 'array' then jsonb_array_length(report -> 'findings') end as findings,
       report -> 'findings' -> 0 as first_finding,
       from_start and to_end as whole
  from audit_verification_log
 where tenant_id = $1
   and ($2::bigint is null or id < $2::bigint)
 order by id desc
 limit $3::integer
