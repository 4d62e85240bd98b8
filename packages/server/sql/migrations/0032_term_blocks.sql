-- additive
-- Summaries of the two indexes of terms (spec/field-index.md): one row for each block of 4096 records that is full, with the terms of all its
-- records. A search for a rare value looks at the summaries first, and then only at the blocks that may have it. The followers `field-index`
-- and `search-index` write a row with the last record of its block. A block without a row is searched as before.
create table audit_field_blocks (
  generation integer     not null,
  tenant_id  text        not null,
  epoch      integer     not null,
  block      bigint      not null,
  -- Between these times all events of the block happened, `newest` not included.
  oldest     timestamptz not null,
  newest     timestamptz not null,
  -- Hashes of the terms, ascending. A hash covers the tenant, the epoch and the group of 4096 blocks too.
  terms      integer[]   not null,
  primary key (generation, tenant_id, epoch, block)
);
create table audit_search_blocks (like audit_field_blocks including indexes);
-- A row has some ten thousand terms: a pending list would only defer their insertion to a search.
create index audit_field_blocks_terms on audit_field_blocks using gin (terms) with (fastupdate = off);
create index audit_search_blocks_terms on audit_search_blocks using gin (terms) with (fastupdate = off);
-- Readers have no right to the tables. They ask the function below, for the tenants of their transaction.
alter table audit_field_blocks enable row level security;
alter table audit_search_blocks enable row level security;
create policy writer on audit_field_blocks to tally_writer using (true) with check (true);
create policy writer on audit_search_blocks to tally_writer using (true) with check (true);
grant select, insert, update, delete on audit_field_blocks, audit_search_blocks to tally_writer;

-- Blocks of one epoch in which a search has to look: those without a summary, and those whose summary has a term of every group and a time
-- of the range. All blocks are of one group of 4096. A summary says something about records that never change, so an answer stays true.
-- As tally_find_candidates, the function reads with the rights of its owner, and refuses a tenant that the transaction has not set.
create function tally_find_blocks(
  of_tenant text, of_epoch integer, first bigint, last bigint, texts text[], fields text[], happened_from timestamptz, happened_to timestamptz)
returns table (block bigint)
language plpgsql stable security definer set search_path = pg_catalog, public, pg_temp
set enable_seqscan = off set max_parallel_workers_per_gather = 0 set jit = off as $$
declare
  place record;
  conditions text;
  parts text[] := '{}';
begin
  if of_tenant is null or not coalesce(of_tenant = any (string_to_array(current_setting('tallystick.tenants', true), ',')), false) then
    raise exception 'the transaction has not set the tenant %', of_tenant using errcode = 'insufficient_privilege';
  end if;
  if last - first >= 4096 then
    raise exception 'one call looks at 4096 blocks at most' using errcode = 'invalid_parameter_value';
  end if;
  for place in
    select n.source, n.groups, coalesce(f.generation, 0) as generation
      from (values ('search-index', 'public.audit_search_blocks', texts), ('field-index', 'public.audit_field_blocks', fields))
             as n (name, source, groups)
      left join public.audit_followers f on f.name = n.name
     where cardinality(n.groups) > 0 or (n.name = 'field-index' and cardinality(texts) = 0)
  loop
    select string_agg(format('and s.terms && %L::integer[]', g::integer[]::text), ' ') into conditions from unnest(place.groups) as g;
    -- The primary key says which blocks have a summary at all, and the index of terms which of them have the terms.
    parts := parts || (format(
      'select b.block from generate_series($3, $4) as b (block)
         left join (select k.block, k.oldest < $6 and k.newest > $5 as in_time from %1$s k
                     where k.generation = %2$s and k.tenant_id = $1 and k.epoch = $2 and k.block between $3 and $4
                    offset 0) k on k.block = b.block ', place.source, place.generation)
      || case when conditions is null then 'where k.block is null or k.in_time' else format(
      ' left join (select s.block from %1$s s
                    where s.generation + 0 = %2$s and s.tenant_id || '''' = $1 and s.epoch + 0 = $2 and s.block + 0 between $3 and $4 %3$s
                   offset 0) m on m.block = b.block
        where k.block is null or (k.in_time and m.block is not null)', place.source, place.generation, conditions) end);
  end loop;
  return query execute array_to_string(parts, ' intersect ')
    using of_tenant, of_epoch, first, last, happened_from, happened_to;
end
$$;
revoke all on function tally_find_blocks(text, integer, bigint, bigint, text[], text[], timestamptz, timestamptz) from public;
grant execute on function tally_find_blocks(text, integer, bigint, bigint, text[], text[], timestamptz, timestamptz)
  to tally_reader, tally_writer;
