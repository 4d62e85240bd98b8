-- additive
-- Subjects whose logins and keys are refused, also while a token is valid. The service changes this table only by the functions below,
-- from a record in the chain of its tenant, and the verification compares the table with these records (spec/books.md).
create table audit_blocked_subjects (
  subject    text        primary key,
  blocked_at timestamptz not null,
  blocked_by text        not null,
  reason     text
);
grant select on audit_blocked_subjects to tally_writer;

-- Blocks the subject that an `audit.subject_blocked` record names.
create function tally_block_subject(chain text, record_id uuid) returns void
language plpgsql security definer set search_path = pg_catalog, public, pg_temp as $$
declare
  event jsonb := public.tally_key_event(chain, record_id, 'audit.subject_blocked');
begin
  insert into public.audit_blocked_subjects (subject, blocked_at, blocked_by, reason)
  values (event #>> '{metadata,subject}', (event ->> 'timestamp')::timestamptz, event ->> 'actor_id',
          event #>> '{metadata,reason}')
  on conflict do nothing;
end
$$;

-- Blocks a subject while the chain takes no record. It only takes rights away, so it needs none.
create function tally_block_subject_unrecorded(blocked text, at timestamptz, by_principal text, why text) returns void
language sql security definer set search_path = pg_catalog, public, pg_temp as $$
  insert into public.audit_blocked_subjects (subject, blocked_at, blocked_by, reason)
  -- A time in the future could not be ended: only a later record ends a block.
  values (blocked, least(at, clock_timestamp()), by_principal, why) on conflict do nothing
$$;

-- Ends a block by an `audit.subject_unblocked` record. An older record, of a block before, ends nothing.
create function tally_unblock_subject(chain text, record_id uuid) returns void
language plpgsql security definer set search_path = pg_catalog, public, pg_temp as $$
declare
  event jsonb := public.tally_key_event(chain, record_id, 'audit.subject_unblocked');
begin
  delete from public.audit_blocked_subjects
   where subject = event #>> '{metadata,subject}' and blocked_at <= (event ->> 'timestamp')::timestamptz;
end
$$;

revoke all on function tally_block_subject(text, uuid), tally_unblock_subject(text, uuid),
  tally_block_subject_unrecorded(text, timestamptz, text, text) from public;
grant execute on function tally_block_subject(text, uuid), tally_unblock_subject(text, uuid),
  tally_block_subject_unrecorded(text, timestamptz, text, text) to tally_writer;
