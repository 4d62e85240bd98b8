-- Group roles, one for each thing that may be done to the trail. They are cluster-wide: another database of the same
-- cluster may have made them already, or be making them now.
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
