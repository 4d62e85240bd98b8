-- Intents that the service has put on record as unresolved and whose end has not come.
select count(*)::integer as unresolved
  from audit_open_intents i
  join audit_followers f on f.name = 'open-intents' and f.generation = i.generation
 where i.state = 'unresolved'
