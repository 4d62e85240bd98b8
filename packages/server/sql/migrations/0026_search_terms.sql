-- additive
-- The search index: terms of the texts of each record, by which a search finds it (spec/search-index.md). The follower `search-index`
-- keeps it. A record without terms has no row.
create table audit_search_terms (
  generation      integer   not null,
  tenant_id       text      not null,
  epoch           integer   not null,
  sequence_number bigint    not null,
  -- Hashes of the terms, ascending. A hash covers the tenant, the epoch and the block of 4096 records too.
  terms           integer[] not null,
  primary key (generation, tenant_id, epoch, sequence_number)
);
-- A small pending list: a search reads it from its start to its end.
create index audit_search_terms_terms on audit_search_terms using gin (terms) with (gin_pending_list_limit = 512);
-- Readers have no right to the table. They search through the function below, for the tenants of their transaction.
alter table audit_search_terms enable row level security;
create policy writer on audit_search_terms to tally_writer using (true) with check (true);
grant select, insert, update, delete on audit_search_terms to tally_writer;

-- Records of one epoch that a search may match: those with a term of every group of `texts` in the search index, and of every group of
-- `fields` in the field index. The first row has no sequence number and says how far both indexes reach; the others are candidates up to
-- there, in order. All of it is of one snapshot, because the function is stable. As in tally_find_candidates, it reads with the rights of
-- its owner, and refuses a tenant that the transaction has not set.
create function tally_find_search_candidates(
  of_tenant text, of_epoch integer, first bigint, last bigint, texts text[], fields text[], newest_first boolean, most integer)
returns table (sequence_number bigint, indexed_to bigint)
language plpgsql stable security definer set search_path = pg_catalog, public, pg_temp as $$
declare
  place record;
  generations integer[] := array[0, 0];
  reaches bigint := 9007199254740991;
  of_texts text;
  of_fields text;
begin
  if of_tenant is null or not coalesce(of_tenant = any (string_to_array(current_setting('tallystick.tenants', true), ',')), false) then
    raise exception 'the transaction has not set the tenant %', of_tenant using errcode = 'insufficient_privilege';
  end if;
  if cardinality(texts) = 0 then
    raise exception 'a search of the index needs a term' using errcode = 'invalid_parameter_value';
  end if;
  for place in
    select n.name, n.nth, f.generation, c.epoch, c.sequence_number as at
      from (values ('search-index', 1), ('field-index', 2)) as n (name, nth)
      left join public.audit_followers f on f.name = n.name
      left join public.audit_follower_cursors c on c.follower = f.name and c.generation = f.generation and c.tenant_id = of_tenant
     where n.nth = 1 or cardinality(fields) > 0
  loop
    generations[place.nth] := place.generation;
    reaches := least(reaches, case
      when place.epoch is null or place.epoch < of_epoch then -1
      when place.epoch = of_epoch then place.at
      else 9007199254740991 end);
  end loop;
  return query select null::bigint, reaches;
  if reaches < first then
    return;
  end if;
  select string_agg(format('and s.terms && %L::integer[]', g::integer[]::text), ' ') into of_texts from unnest(texts) as g;
  if cardinality(fields) > 0 then
    select format(
             'and exists (select from public.audit_field_terms i where i.generation = $7 and i.tenant_id = $2 and i.epoch = $3
                             and i.sequence_number = s.sequence_number %s)',
             string_agg(format('and i.terms && %L::integer[]', g::integer[]::text), ' '))
      into of_fields from unnest(fields) as g;
  end if;
  -- Only the index of terms can answer: the primary key would read a whole range of the chain.
  return query execute
    'select s.sequence_number, null::bigint from public.audit_search_terms s
      where s.generation + 0 = $1 and s.tenant_id || '''' = $2 and s.epoch + 0 = $3 and s.sequence_number + 0 between $4 and $5 '
    || of_texts || ' ' || coalesce(of_fields, '') || ' order by s.sequence_number '
    || case when newest_first then 'desc' else 'asc' end || ' limit $6'
    using generations[1], of_tenant, of_epoch, first, least(last, reaches), most, generations[2];
end
$$;
revoke all on function tally_find_search_candidates(text, integer, bigint, bigint, text[], text[], boolean, integer) from public;
grant execute on function tally_find_search_candidates(text, integer, bigint, bigint, text[], text[], boolean, integer)
  to tally_reader, tally_writer;
