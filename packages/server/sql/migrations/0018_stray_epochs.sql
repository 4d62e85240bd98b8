-- additive
-- An epoch is listed as closed when the head of its chain moves on from it. A head that somebody moved into an epoch that was
-- never opened leaves such a row too, and reads return the rows of that epoch. The owner can remove the row (`tally strays`).
create function tally_refuse_change_of_epochs() returns trigger
language plpgsql set search_path = pg_catalog, public, pg_temp as $$
begin
  if tg_op = 'DELETE' and pg_has_role((select relowner from pg_class where oid = tg_relid), 'member') then
    return old;
  end if;
  raise exception 'the audit trail is append-only: % on % is refused', tg_op, tg_table_name
    using errcode = 'insufficient_privilege';
end
$$;
drop trigger append_only on audit_closed_epochs;
create trigger append_only before update or delete on audit_closed_epochs
  for each row execute function tally_refuse_change_of_epochs();

-- The place of an epoch is its last position.
alter table audit_removed_strays drop constraint audit_removed_strays_kind_check;
alter table audit_removed_strays add constraint audit_removed_strays_kind_check check (kind in ('record', 'tile', 'epoch'));
