-- additive
-- When the service gave up a message about an approval. It is deleted some time later. The trigger sets the time, so that it is also right
-- for a replica of the previous version, which does not know the column.
alter table audit_webhook_deliveries add column given_up_at timestamptz;
-- The time of messages that were given up earlier begins with this migration.
update audit_webhook_deliveries set given_up_at = clock_timestamp() where next_attempt_at is null;

create function tally_webhook_given_up() returns trigger
language plpgsql set search_path = pg_catalog, public, pg_temp as $$
begin
  if new.next_attempt_at is not null then
    new.given_up_at := null;
  elsif tg_op = 'UPDATE' and old.given_up_at is not null then
    new.given_up_at := old.given_up_at;
  else
    new.given_up_at := clock_timestamp();
  end if;
  return new;
end
$$;
create trigger audit_webhook_deliveries_given_up before insert or update on audit_webhook_deliveries
  for each row execute function tally_webhook_given_up();
create index audit_webhook_deliveries_given_up_at on audit_webhook_deliveries (given_up_at) where given_up_at is not null;
