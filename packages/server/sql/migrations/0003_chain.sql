-- Heads: one row per tenant. A transaction that extends the tenant's chain locks it. last_sequence is -1 until the genesis
-- record is written: in the same transaction, unless all events of that transaction for the tenant were refused.
create table audit_chain_state (
  tenant_id        text primary key,
  epoch            integer     not null,
  last_sequence    bigint      not null,
  last_hash        bytea       not null,
  last_ingested_at timestamptz not null,
  -- Roots of the tree's perfect subtrees, largest first, 32 bytes each.
  frontier         bytea       not null
) with (fillfactor = 50);

-- Full tiles of the Merkle tree, written once. `root` is the hash of the whole tile. The partial tile one level above is
-- not stored: it consists of the roots of the tiles below it.
create table audit_tiles (
  tenant_id text    not null,
  epoch     integer not null,
  level     integer not null,
  index     bigint  not null,
  root      bytea   not null,
  hashes    bytea   not null,
  primary key (tenant_id, epoch, level, index)
);
-- Hashes don't compress. They are stored out of line, so that a query for roots does not read them.
alter table audit_tiles alter column hashes set storage external;

create trigger append_only before update or delete on audit_tiles
  for each row execute function tally_refuse_change();
create trigger append_only_truncate before truncate on audit_tiles
  for each statement execute function tally_refuse_change();

-- Signed checkpoints, with the exact text of the note.
create table audit_checkpoints (
  tenant_id text        not null,
  epoch     integer     not null,
  size      bigint      not null,
  root      bytea       not null,
  note      text        not null,
  signed_at timestamptz not null default clock_timestamp(),
  primary key (tenant_id, epoch, size)
);

do $$
declare
  name text;
begin
  foreach name in array array['audit_chain_state', 'audit_tiles', 'audit_checkpoints'] loop
    execute format('alter table %I enable row level security', name);
    execute format('create policy reader_by_tenant on %I for select to tally_reader
      using (tenant_id = any (string_to_array(current_setting(''tallystick.tenants'', true), '','')))', name);
    execute format('create policy writer on %I to tally_writer using (true) with check (true)', name);
    execute format('grant select on %I to tally_reader', name);
  end loop;
end
$$;
grant select, insert, update on audit_chain_state to tally_writer;
grant select, insert on audit_tiles to tally_writer;
grant select, insert, update on audit_checkpoints to tally_writer;
