-- Number of dead letters that a purge would erase, by reason. The conditions are those of find-purgeable.sql.
select reason, count(*) as letters
  from audit_dead_letters
 where state <> 'purged'
   and ($1::text[] is null or tenant_id = any ($1))
   and ($2::uuid[] is null or id = any ($2))
   and ($3::text is null or state = $3)
   and ($4::text is null or reason = $4)
   and ($5::text is null or (source like 'kafka:%' and split_part(source, '/', 2) = $5))
   and ($6::timestamptz is null or last_seen_at < $6)
 group by reason
 order by reason
