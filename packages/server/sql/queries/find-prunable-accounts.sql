-- Accounts of producers that have ended: completely settled, and closed or ephemeral, and silent for $1 seconds. A producer
-- with an open dead letter keeps its accounts, because a retry submits the event with its number. `chain` is the tenant of
-- the chain that records the pruning: the account's own, if it has a chain, or that of the service's tenant ($2). A scan of
-- audit_producers, which must not run often. A UUIDv7 with a later time is kept: an account is only created as it was before if the
-- time of its id allows that it was pruned (account-rows.ts).
select p.submitter,
       p.producer_id::text as producer_id,
       p.tenant_id,
       p.settled_to as numbers,
       p.final_seq is not null as closed,
       case when exists (select from audit_chain_state s where s.tenant_id = p.tenant_id and s.last_sequence >= 0)
            then p.tenant_id else $2 end as chain
  from audit_producers p
 where p.settled_to >= p.highest_seen
   and p.settled_to >= coalesce(p.final_seq, 0)
   and (p.final_seq = p.settled_to or p.is_ephemeral)
   and p.last_seen_at < clock_timestamp() - make_interval(secs => $1)
   and not (substr(p.producer_id::text, 15, 1) = '7'
            and ('x' || left(replace(p.producer_id::text, '-', ''), 12))::bit(48)::bigint
                  >= extract(epoch from clock_timestamp() - make_interval(secs => $1)) * 1000)
   and not (p.tenant_id = any ($3::text[]))
   and not exists (select from audit_dead_letters d
                    where d.state = 'open' and d.producer_id = p.producer_id and d.tenant_id = p.tenant_id)
 order by chain, p.last_seen_at
 limit 500
