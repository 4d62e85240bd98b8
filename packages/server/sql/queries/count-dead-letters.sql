-- Open dead letters, counted to a bound: the partial index audit_dead_letters_open.
select count(*) as open
  from (select 1 from audit_dead_letters where state = 'open' limit 100000) as bounded
