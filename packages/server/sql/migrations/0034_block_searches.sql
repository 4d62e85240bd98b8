-- additive
-- Searches of the two indexes of terms, one block of 4096 records after the other, until there are enough candidates. One scan of an index for
-- all blocks together compared each entry with the terms of all of them: 50 ms for two terms in 1,000 blocks, and 12 ms block by block.
-- tally_find_candidates and tally_find_search_candidates stay for replicas of the version before.
--
-- Records of one epoch that may match: those with a term of every group of `texts` in the search index, and of every group of `fields` in the
-- field index. A group is the text of an array that has one element for each of `blocks`, in the order of the search: the hashes of its terms
-- there. A record of another block that has one of these hashes by chance is no candidate: it would come out of order, and end a search too early.
-- The first row has no sequence number and says how far the indexes reach; the others are candidates up to there, in order. All of it is of one
-- snapshot, because the function is stable.
--
-- Row-level security would keep the planner from the index: `&&` is not leakproof. So the function reads with the rights of its owner, and
-- refuses a tenant that the transaction has not set.
create function tally_search_blocks(
  of_tenant text, of_epoch integer, first bigint, last bigint, blocks bigint[], texts text[], fields text[], newest_first boolean, most integer)
returns table (sequence_number bigint, indexed_to bigint)
language plpgsql stable security definer set search_path = pg_catalog, public, pg_temp
set enable_seqscan = off set max_parallel_workers_per_gather = 0 set jit = off as $$
declare
  place record;
  generations integer[] := array[0, 0];
  reaches bigint := 9007199254740991;
  lists text;
  names text;
  conditions text;
  others text;
begin
  if of_tenant is null or not coalesce(of_tenant = any (string_to_array(current_setting('tallystick.tenants', true), ',')), false) then
    raise exception 'the transaction has not set the tenant %', of_tenant using errcode = 'insufficient_privilege';
  end if;
  if cardinality(texts) + cardinality(fields) = 0 then
    raise exception 'a search of the index needs a term' using errcode = 'invalid_parameter_value';
  end if;
  for place in
    select n.nth, f.generation, c.epoch, c.sequence_number as at
      from (values ('search-index', 1, texts), ('field-index', 2, fields)) as n (name, nth, groups)
      left join public.audit_followers f on f.name = n.name
      left join public.audit_follower_cursors c on c.follower = f.name and c.generation = f.generation and c.tenant_id = of_tenant
     where cardinality(n.groups) > 0
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
  select string_agg(format('%L::text[]', g.hashes::text[]::text), ', ' order by g.nth), string_agg('g' || g.nth, ', ' order by g.nth),
         string_agg(format('and s.terms && w.g%s::integer[]', g.nth), ' ') filter (where g.nth <= cardinality(texts) or cardinality(texts) = 0),
         string_agg(format('and i.terms && w.g%s::integer[]', g.nth), ' ') filter (where g.nth > cardinality(texts) and cardinality(texts) > 0)
    into lists, names, conditions, others
    from unnest(texts || fields) with ordinality as g (hashes, nth);
  -- Only the index of terms can answer: the primary key would read a whole range of the chain.
  return query execute format(
    'select c.sequence_number, null::bigint
       from unnest($8, %s) with ordinality as w (block, %s, nth)
      cross join lateral (
        select s.sequence_number from %s s
         where s.generation + 0 = $1 and s.tenant_id || '''' = $2 and s.epoch + 0 = $3
           and s.sequence_number + 0 between greatest($4, w.block * 4096) and least($5, w.block * 4096 + 4095) %s %s
         order by s.sequence_number %s limit $6) c
      order by w.nth limit $6',
    lists, names, case when cardinality(texts) > 0 then 'public.audit_search_terms' else 'public.audit_field_terms' end, conditions,
    'and exists (select from public.audit_field_terms i where i.generation = $7 and i.tenant_id = $2 and i.epoch = $3
                    and i.sequence_number = s.sequence_number ' || others || ')',
    case when newest_first then 'desc' else 'asc' end)
    using generations[case when cardinality(texts) > 0 then 1 else 2 end], of_tenant, of_epoch, first, least(last, reaches), most,
          generations[2], blocks;
end
$$;
revoke all on function tally_search_blocks(text, integer, bigint, bigint, bigint[], text[], text[], boolean, integer) from public;
grant execute on function tally_search_blocks(text, integer, bigint, bigint, bigint[], text[], text[], boolean, integer) to tally_reader, tally_writer;
