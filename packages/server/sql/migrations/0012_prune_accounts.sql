-- additive
-- Deletes accounts of producers that have ended: each must be settled completely, and closed or ephemeral, and silent for a
-- day at least. The service has no other way to delete an account. Returns how many were deleted.
create function tally_prune_accounts(accounts jsonb) returns integer
language sql security definer set search_path = pg_catalog, public, pg_temp as $$
  with pruned as (
    delete from public.audit_producers p
     using jsonb_to_recordset(accounts) as k(submitter text, producer_id uuid, tenant_id text, numbers bigint)
     where (p.submitter, p.producer_id, p.tenant_id) = (k.submitter, k.producer_id, k.tenant_id)
       and p.settled_to = k.numbers and p.settled_to >= p.highest_seen and p.settled_to >= coalesce(p.final_seq, 0)
       and (p.final_seq = p.settled_to or p.is_ephemeral)
       and p.last_seen_at < clock_timestamp() - interval '1 day'
    returning 1
  )
  select count(*)::integer from pruned
$$;
revoke all on function tally_prune_accounts(jsonb) from public;
grant execute on function tally_prune_accounts(jsonb) to tally_writer;
