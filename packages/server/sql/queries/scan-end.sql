-- How far list-events.sql has read, where it read $6 rows: the last of them, or null if there are fewer. An index-only scan.
select case when count(*) = $6::integer then {last}(s.sequence_number) end as reached, count(*) as rows
  from (
    select d.sequence_number from audit_records d
     where d.tenant_id = $1
       and d.epoch + 0 = $2::integer
       and d.sequence_number between $3::bigint and $4::bigint
       and d.ingested_at >= $7::timestamptz
       and d.ingested_at < $8::timestamptz
       and d."{column}" = $5::text
     order by d.sequence_number {direction}
     limit $6::integer
  ) s
