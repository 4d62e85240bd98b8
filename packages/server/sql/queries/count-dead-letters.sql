-- Number of open dead letters, up to a limit. Uses the partial index audit_dead_letters_open.
select count(*) as open
  from (select 1 from audit_dead_letters where state = 'open' limit 100000) as bounded
