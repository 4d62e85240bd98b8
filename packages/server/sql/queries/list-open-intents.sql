-- A page of open intents, in the order of their deadlines.
--   $1        tenants, null for all
--   $2 to $4  the last row of the page before: deadline (microseconds since the epoch), intent and tenant
--   $5 to $8  state, actor, action, and least age in seconds; null for any
--   $9        whether sensitive rows are listed
--   $10       most rows of the page
--   $11, $12  most rows that are read for the page, and of how many tenants at once
-- Returns one row more than the page if there is one. Where the reading ended before the last row of the list, the last row that was
-- read has `is_end`, and is returned also if it does not match.
-- Uses audit_open_intents_list for all tenants and audit_open_intents_tenant for some. Of some tenants, those are read whose first rows come first, and
-- share $11. Each of the others costs one probe of the index, so a key with a thousand tenants costs no more than a thousand rows more.
with current as (
  select generation from audit_followers where name = 'open-intents'
), after as (
  select timestamptz 'epoch' + $2::bigint * interval '1 microsecond' as deadline, $3::uuid as intent_id, $4::text as tenant_id
), heads as materialized (
  select t.tenant_id, h.deadline, h.intent_id, row_number() over (order by h.deadline, h.intent_id, t.tenant_id) as rank
    from (select distinct unnest($1::text[])) as t(tenant_id)
   cross join lateral (
     select o.deadline, o.intent_id from audit_open_intents o
      where o.generation = (select generation from current) and o.tenant_id = t.tenant_id
        and (o.deadline, o.intent_id, o.tenant_id) > (select deadline, intent_id, tenant_id from after)
      order by o.deadline, o.intent_id limit 1) h
   order by h.deadline, h.intent_id, t.tenant_id
   limit $12::integer + 1
), share as (
  select greatest($11::integer / greatest(least(count(*), $12::integer), 1), 1) as rows from heads
), scanned as materialized (
  (select i.*, row_number() over (order by i.deadline, i.intent_id, i.tenant_id) = $11::integer as is_cut
     from audit_open_intents i
    where $1::text[] is null and i.generation = (select generation from current)
      and (i.deadline, i.intent_id, i.tenant_id) > (select deadline, intent_id, tenant_id from after)
    order by i.deadline, i.intent_id, i.tenant_id limit $11::integer)
  union all
  (select i.*, row_number() over (partition by i.tenant_id order by i.deadline, i.intent_id) = (select rows from share) as is_cut
     from heads t
    cross join lateral (
      select o.* from audit_open_intents o
       where o.generation = (select generation from current) and o.tenant_id = t.tenant_id
         and (o.deadline, o.intent_id, o.tenant_id) > (select deadline, intent_id, tenant_id from after)
       order by o.deadline, o.intent_id limit (select rows from share)) i
    where t.rank <= $12::integer)
), bound as (
  -- Up to here every row has been read: a row behind it may come after one that has not been.
  select deadline, intent_id, tenant_id
    from (select deadline, intent_id, tenant_id from scanned where is_cut
          union all
          select deadline, intent_id, tenant_id from heads where rank > $12::integer) b
   order by deadline, intent_id, tenant_id limit 1
), judged as (
  select s.*, extract(epoch from clock_timestamp() - s.ingested_at)::float8 as age_seconds,
         b.deadline is not null and row_number() over (order by s.deadline desc, s.intent_id desc, s.tenant_id desc) = 1 as is_end,
         ($5::text is null or s.state = $5) and ($6::text is null or s.actor_id = $6) and ($7::text is null or s.action = $7)
           and ($8::float8 is null or s.ingested_at <= clock_timestamp() - make_interval(secs => $8))
           and ($9::boolean or not s.is_sensitive) as matches
    from scanned s left join bound b on true
   where b.deadline is null or (s.deadline, s.intent_id, s.tenant_id) <= (b.deadline, b.intent_id, b.tenant_id)
)
select tenant_id, intent_id::text, state, audit_id::text, epoch, sequence_number, ingested_at, greatest(age_seconds, 0) as age_seconds,
       deadline, waiting, actor_type, actor_id, action, target_type, target_id, record_id::text as finding_id, matches, is_end,
       (extract(epoch from deadline) * 1000000)::bigint as deadline_us
  from judged
 where matches or is_end
 order by deadline, intent_id, tenant_id
 limit $10::integer + 2
