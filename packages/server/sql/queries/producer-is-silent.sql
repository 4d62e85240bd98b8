-- Whether nothing was heard of a producer for $4 seconds. Asked under the account's lock.
select 1
  from audit_producers
 where (submitter, producer_id, tenant_id) = ($1, $2::uuid, $3)
   and last_seen_at < clock_timestamp() - make_interval(secs => $4)
