-- The first record of an epoch that was chained at $5 or later, between the sequence numbers $3 and $4; $4 + 1 if there is none.
-- Sequence numbers and ingested_at increase together within a chain, so halving the range finds it: some 20 look-ups for a million
-- records. $7 and $8 bound ingested_at of the range, and so the partitions. A position without a record, which only an epoch that a recovery closed has, counts as chained before $5 if $6.
with recursive search (low, high) as (
  select $3::bigint, $4::bigint + 1
  union all
  select case when s.is_before then s.middle + 1 else s.low end, case when s.is_before then s.high else s.middle end
    from (
      select low, high, (low + high) / 2 as middle,
             coalesce((select min(r.ingested_at) < $5::timestamptz from audit_records r
                        where r.tenant_id = $1 and r.epoch = $2::integer and r.sequence_number = (low + high) / 2
                          and r.ingested_at >= $7::timestamptz and r.ingested_at < $8::timestamptz), $6::boolean) as is_before
        from search
       where low < high
    ) s
)
select min(low) as first from search where low = high
