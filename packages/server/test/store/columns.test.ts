import { readFileSync } from 'node:fs';
import { eventFields, type IndexedField } from '@tallystick/event';
import { expect, test } from 'vitest';
import { copyStatement } from '../../src/store/copy-rows.ts';

const migration = readFileSync(new URL('../../sql/migrations/0002_records.sql', import.meta.url), 'utf8');

/** Columns of `audit_records` as the migration creates them: name, type, whether null is allowed. */
const created = [
  .../create table audit_records \(\n([\s\S]*?)\n\)/
    .exec(migration)![1]!
    .matchAll(/^ +"?(\w+)"? +(\w+)( +not null)?,?$/gm),
].map(([, name, type, required]) => ({ name, type, nullable: required === undefined }));

// The columns must not change, because the table holds records of many years. A new field gets a derived table instead.
test('the table of indexed fields says what the migration creates, in its order', () => {
  const columns = eventFields.map(({ name, column, nullable = false }: IndexedField) => ({
    name,
    type: column,
    nullable,
  }));
  const names = new Set(columns.map(({ name }) => name));
  const inOrder = created.filter(({ name }) => names.has(name!));
  expect(inOrder).toEqual(columns);
});

test('COPY fills every column', () => {
  const copied = /\((.*)\)/.exec(copyStatement('some_month'))![1]!.replaceAll('"', '').split(', ');
  expect(copied.toSorted()).toEqual(created.map(({ name }) => name).toSorted());
});
