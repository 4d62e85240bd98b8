-- What is missing of actions of agents, as the service has put it on record: the ends of intents, and the intents of ends.
select count(*) filter (where i.state = 'unresolved')::integer as unresolved,
       count(*) filter (where i.state = 'unexplained')::integer as unexplained
  from audit_open_intents i
  join audit_followers f on f.name = 'open-intents' and f.generation = i.generation
