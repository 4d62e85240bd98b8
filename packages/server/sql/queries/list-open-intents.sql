-- A page of open intents, in the order of their deadlines.
--   $1        tenants, null for all
--   $2 to $4  the last row of the page before: deadline (microseconds since the epoch), intent and tenant
--   $5 to $8  state, actor, action, and least age in seconds; null for any
--   $9        whether sensitive rows are listed
--   $10, $11  most rows of the page, and most rows that are read for it (of each tenant of $1). A row that ends the reading is returned without `matches`
-- Uses audit_open_intents_list for all tenants and audit_open_intents_tenant for some.
with current as (
  select generation from audit_followers where name = 'open-intents'
), after as (
  select timestamptz 'epoch' + $2::bigint * interval '1 microsecond' as deadline, $3::uuid as intent_id, $4::text as tenant_id
), scanned as (
  select s.*, row_number() over (order by s.deadline, s.intent_id, s.tenant_id) as place
    from ((select i.* from audit_open_intents i
            where $1::text[] is null and i.generation = (select generation from current)
              and (i.deadline, i.intent_id, i.tenant_id) > (select deadline, intent_id, tenant_id from after)
            order by i.deadline, i.intent_id, i.tenant_id limit $11::integer)
          union all
          (select i.* from (select distinct unnest($1::text[])) as t(tenant_id) cross join lateral (
                  select o.* from audit_open_intents o
                   where o.generation = (select generation from current) and o.tenant_id = t.tenant_id
                     and (o.deadline, o.intent_id, o.tenant_id) > (select deadline, intent_id, tenant_id from after)
                   order by o.deadline, o.intent_id limit $11::integer) i)
          order by deadline, intent_id, tenant_id limit $11::integer) s
), judged as (
  select *, extract(epoch from clock_timestamp() - ingested_at)::float8 as age_seconds,
         ($5::text is null or state = $5) and ($6::text is null or actor_id = $6) and ($7::text is null or action = $7)
           and ($8::float8 is null or ingested_at <= clock_timestamp() - make_interval(secs => $8)) and ($9::boolean or not is_sensitive)
           as matches
    from scanned
)
select tenant_id, intent_id::text, state, audit_id::text, epoch, sequence_number, ingested_at, greatest(age_seconds, 0) as age_seconds,
       deadline, waiting, actor_type, actor_id, action, target_type, target_id, record_id::text as finding_id, matches, place::integer,
       (extract(epoch from deadline) * 1000000)::bigint as deadline_us
  from judged
 where matches or place = $11::integer
 order by place
 limit $10::integer + 1
