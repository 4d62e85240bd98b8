-- additive
-- The field index: terms of each record, by which filters find it (spec/field-index.md). The follower `field-index` keeps it. A record
-- without terms has no row.
create table audit_field_terms (
  generation      integer   not null,
  tenant_id       text      not null,
  epoch           integer   not null,
  sequence_number bigint    not null,
  -- Hashes of the terms, ascending. A hash covers the tenant, the epoch and the block of 4096 records too.
  terms           integer[] not null,
  primary key (generation, tenant_id, epoch, sequence_number)
);
-- A small pending list: a search reads it from its start to its end.
create index audit_field_terms_terms on audit_field_terms using gin (terms) with (gin_pending_list_limit = 512);
grant select, insert, update, delete on audit_field_terms to tally_writer;

-- Records of one epoch that may match: those with a term of every group. The first row has no sequence number and says how far the index
-- reaches; the others are candidates up to there, in order. All of it is of one snapshot, because the function is stable.
--
-- Row-level security would keep the planner from the index: `&&` is not leakproof. So the function reads with the rights of its owner, and
-- refuses a tenant that the transaction has not set.
create function tally_find_candidates(
  of_tenant text, of_epoch integer, first bigint, last bigint, groups text[], newest_first boolean, most integer)
returns table (sequence_number bigint, indexed_to bigint)
language plpgsql stable security definer set search_path = pg_catalog, public, pg_temp as $$
declare
  place record;
  reaches bigint := -1;
  conditions text;
begin
  if of_tenant is null or not coalesce(of_tenant = any (string_to_array(current_setting('tallystick.tenants', true), ',')), false) then
    raise exception 'the transaction has not set the tenant %', of_tenant using errcode = 'insufficient_privilege';
  end if;
  select f.generation, c.epoch, c.sequence_number as at into place
    from public.audit_followers f
    join public.audit_follower_cursors c on c.follower = f.name and c.generation = f.generation and c.tenant_id = of_tenant
   where f.name = 'field-index';
  if found then
    reaches := case when place.epoch < of_epoch then -1 when place.epoch = of_epoch then place.at else 9007199254740991 end;
  end if;
  return query select null::bigint, reaches;
  if reaches < first or cardinality(groups) = 0 then
    return;
  end if;
  select string_agg(format('and i.terms && %L::integer[]', g::integer[]::text), ' ') into conditions from unnest(groups) as g;
  -- Only the index of terms can answer: the primary key would read a whole range of the chain.
  return query execute
    'select i.sequence_number, null::bigint from public.audit_field_terms i
      where i.generation + 0 = $1 and i.tenant_id || '''' = $2 and i.epoch + 0 = $3 and i.sequence_number + 0 between $4 and $5 '
    || conditions || ' order by i.sequence_number ' || case when newest_first then 'desc' else 'asc' end || ' limit $6'
    using place.generation, of_tenant, of_epoch, first, least(last, reaches), most;
end
$$;
revoke all on function tally_find_candidates(text, integer, bigint, bigint, text[], boolean, integer) from public;
grant execute on function tally_find_candidates(text, integer, bigint, bigint, text[], boolean, integer) to tally_reader, tally_writer;
