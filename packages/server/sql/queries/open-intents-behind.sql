-- Age of the oldest record that the follower open-intents has not read, in seconds; 0 if there is none.
--   $1 tenants, null for all
-- Tenants for which it has stopped count too. As in follower-lag, at most a thousand tenants are looked at more closely.
with behind as materialized (
  select h.tenant_id, coalesce(c.epoch, 1) as epoch, coalesce(c.sequence_number, -1) as sequence_number
    from audit_chain_state h
    left join audit_followers f on f.name = 'open-intents'
    left join audit_follower_cursors c on c.follower = f.name and c.generation = f.generation and c.tenant_id = h.tenant_id
   where h.last_sequence >= 0 and ($1::text[] is null or h.tenant_id = any ($1))
     and (c.epoch, c.sequence_number) is distinct from (h.epoch, h.last_sequence)
   limit 1000
)
select coalesce(max(extract(epoch from clock_timestamp() - o.ingested_at)), 0)::float8 as seconds
  from behind b
 cross join lateral (
   select r.ingested_at from audit_records r
    where r.tenant_id = b.tenant_id and (r.epoch, r.sequence_number) > (b.epoch, b.sequence_number)
    order by r.epoch, r.sequence_number limit 1) o
