-- Keeps the result of a verification. A check that begins where an earlier check of the same caller ended continues its run. Only the newest
-- thousand checks of the tenant are looked through, by audit_verification_log_tenant.
-- $1 tenant, $2 verdict, $3 covered_to, $4 report, $5 caller, $6 epoch, $7 first record or null, $8 whether the check reached the chain's end
with earlier as (
  select coalesce(run_id, id) as run_id, run_verdict, from_start
    from (select id, run_id, run_verdict, from_start, checked_by, epoch, report
            from audit_verification_log
           where tenant_id = $1
           order by id desc
           limit 1000) recent
   where $7::bigint > 0
     and checked_by is not distinct from $5::text
     and epoch = $6::integer
     -- As JSON: a report that was edited in the database must not prevent a check.
     and report -> 'next_sequence' = to_jsonb($7::bigint)
   order by id desc
   limit 1
)
insert into audit_verification_log
  (tenant_id, verdict, covered_to, report, checked_by, epoch, run_id, run_verdict, from_start, to_end)
select $1::text, $2::text, $3::bigint, $4::jsonb, $5::text, $6::integer, e.run_id,
       -- From the best to the worst.
       (array['verified', 'recovered', 'not_verifiable', 'broken'])[greatest(
         array_position(array['verified', 'recovered', 'not_verifiable', 'broken'], $2::text),
         array_position(array['verified', 'recovered', 'not_verifiable', 'broken'], e.run_verdict))],
       coalesce($7::bigint = 0 or e.from_start, false),
       $8::boolean
  from (select 1) one left join earlier e on true
