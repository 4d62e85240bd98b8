-- Group roles: one for writing, one for reading, one for retention. Roles belong to the whole cluster, so the migration of
-- another database may have created them already, or may be creating them now.
do $$
declare
  name text;
begin
  foreach name in array array['tally_writer', 'tally_reader', 'tally_retention'] loop
    begin
      execute format('create role %I nologin', name);
    exception when duplicate_object or unique_violation then
      null;
    end;
  end loop;
end
$$;

grant usage on schema public to tally_writer, tally_reader, tally_retention;
