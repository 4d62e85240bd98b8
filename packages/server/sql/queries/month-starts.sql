-- The first record of each month of a chain: months of ingested_at (UTC), which are the partitions. $1 tenant, $2 epoch; null: that of the head.
-- $3 the first month to look at; null: that of the chain's first record. Only when the months of a chain are not known yet, and at the start of
-- each month. One look-up in (tenant_id, epoch, sequence_number) of each month's partition: the others are pruned when the statement runs.
-- The order names the whole key of that index: behind row-level security the planner does not see that tenant and epoch are fixed, and sorted the
-- whole trail for an order by the sequence number alone (7.5 s and 1.7 million blocks at five million records, instead of 16 ms and 680 blocks).
with chain as (
  select h.tenant_id, coalesce($2::integer, h.epoch) as epoch, h.last_ingested_at as last
    from audit_chain_state h
   where h.tenant_id = $1 and h.last_sequence >= 0
), first as (
  select c.*, coalesce($3::timestamptz, (
           select d.ingested_at from audit_records d
            where d.tenant_id = c.tenant_id and d.epoch = c.epoch
            order by d.tenant_id, d.epoch, d.sequence_number limit 1)) as first
    from chain c
)
select f.epoch, m.month, (
         select d.sequence_number from audit_records d
          where d.tenant_id = f.tenant_id and d.epoch = f.epoch
            and d.ingested_at >= m.month and d.ingested_at < m.month + interval '1 month'
          order by d.tenant_id, d.epoch, d.sequence_number limit 1) as first
  from first f
 cross join lateral generate_series(date_trunc('month', f.first, 'UTC'), f.last, interval '1 month') as m(month)
 limit 1200
