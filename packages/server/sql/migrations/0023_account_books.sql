-- Each change of a producer's account follows from a chained record: the event's own, or one of the service (spec/books.md).
-- False: the account has a change without a record, because it is of an earlier version, or because no chain took records.
-- An earlier version does not write these records, so it must not work with this schema.
alter table audit_producers add column on_record boolean not null default false;
create index audit_producers_unrecorded on audit_producers (tenant_id) where not on_record;
