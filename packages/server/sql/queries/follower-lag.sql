-- How far a generation of a follower is behind the heads of all chains: one hash join of heads and cursors.
--   $1 follower, $2 generation
-- The age is that of the oldest unread record among a thousand tenants that are behind: to probe all of a hundred thousand would cost
-- more than the number is worth.
with cursors as (
  select * from audit_follower_cursors where follower = $1 and generation = $2::integer
), behind as materialized (
  select h.tenant_id, h.epoch, h.last_sequence, coalesce(c.epoch, 1) as at_epoch, coalesce(c.sequence_number, -1) as at_sequence
    from audit_chain_state h
    left join cursors c on c.tenant_id = h.tenant_id
   where h.last_sequence >= 0 and c.stopped_code is null
     and (c.epoch, c.sequence_number) is distinct from (h.epoch, h.last_sequence)
)
select coalesce((
         select sum(case when epoch = at_epoch then greatest(last_sequence - at_sequence, 0) else last_sequence + 1 + (
                  select coalesce(sum(g.last_sequence + 1), 0) from audit_closed_epochs g
                   where g.tenant_id = b.tenant_id and g.epoch >= at_epoch)
                  - (at_sequence + 1) end)::bigint
           from behind b), 0)::bigint as records,
       coalesce((
         select greatest(extract(epoch from clock_timestamp() - min(o.ingested_at)), 0)
           from (select * from behind limit 1000) b
          cross join lateral (
            select r.ingested_at from audit_records r
             where r.tenant_id = b.tenant_id and r.epoch = b.at_epoch and r.sequence_number = b.at_sequence + 1 limit 1) o), 0)::float8 as seconds,
       (select count(*) from behind)::integer as tenants,
       (select count(*) from cursors where stopped_code is not null)::integer as stopped
