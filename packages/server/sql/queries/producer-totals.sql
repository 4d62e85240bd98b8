-- Number of open numbers, and of producers that have been silent for more than $1 seconds without a final number and that
-- are not ephemeral. A scan of
-- audit_producers, which has one row per process and tenant, so it must not run often.
select coalesce(sum(greatest(p.highest_seen, coalesce(p.final_seq, 0)) - p.settled_to - coalesce(r.settled, 0)), 0)::float8 as open_numbers,
       count(*) filter (where (p.final_seq is null or p.final_seq < p.highest_seen) and not p.is_ephemeral and p.last_seen_at < clock_timestamp() - make_interval(secs => $1)) as unclosed
  from audit_producers p
  left join lateral (
    select sum(last_seq - first_seq + 1)::bigint as settled from audit_producer_ranges
     where (submitter, producer_id, tenant_id) = (p.submitter, p.producer_id, p.tenant_id)) r on true
 where p.final_seq is null or p.settled_to < p.final_seq or p.settled_to < p.highest_seen or p.final_seq < p.highest_seen
