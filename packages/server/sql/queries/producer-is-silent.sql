-- Whether a producer has sent nothing for $4 seconds. To be run under the account's lock.
select 1
  from audit_producers
 where (submitter, producer_id, tenant_id) = ($1, $2::uuid, $3)
   and last_seen_at < clock_timestamp() - make_interval(secs => $4)
