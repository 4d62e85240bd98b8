import { renameSync } from 'node:fs';
import { join } from 'node:path';
import { prepareEmbeddedStore, tempDir, until } from '@tallystick/testing';
import { expect, test, vi } from 'vitest';
import { Writer } from '../../../src/chain/writer.ts';
import { writer } from '../../../src/store/database.ts';
import { migratePglite } from '../../../src/store/migrate.ts';
import { PgliteDatabase, type PgliteOptions } from '../../../src/store/pglite/pglite.ts';
import { items, logName, newTenant } from '../../events.ts';
import { copyRows } from '../run-copy.ts';

// Each test opens a store, and most of them open it again: that is computing, which takes long on a busy machine.
vi.setConfig({ testTimeout: 180_000 });

const forEver = 'do $$ begin loop end loop; end $$';

async function open(options: PgliteOptions & { directory?: string } = {}): Promise<PgliteDatabase> {
  const database = await PgliteDatabase.open(options.directory, options);
  await migratePglite(database);
  await database.execute(`
    create table if not exists notes (id int primary key, body text);
    grant select, insert, update, delete on notes to tally_writer`);
  return database;
}

// PGlite once ran in the thread of the application: a call that did not end stopped all of it, signals included.
test('a call that never ends does not stop the application, is ended, and the next transaction works', async () => {
  using dir = tempDir();
  await prepareEmbeddedStore(dir.path);
  const database = await open({ directory: dir.path, answerMs: 2_000 });
  await database.query(writer, "insert into notes values (1, 'kept')");
  let turns = 0;
  const beat = setInterval(() => turns++, 1);
  const waiting = [database.query(writer, forEver), database.query(writer, 'select 1')];
  for (const each of await Promise.allSettled(waiting)) {
    expect(each).toMatchObject({ status: 'rejected', reason: { code: 'STORE_UNAVAILABLE' } });
  }
  clearInterval(beat);
  expect(turns).toBeGreaterThan(0);
  await until(() => canRead(database), { timeoutMs: 60_000, what: 'the store that opens again' });
  expect(await database.query(writer, 'select body from notes')).toEqual([{ body: 'kept' }]);
  await database.close();
});

test('a thread that fails during the commit leaves the outcome unknown, and says so', async () => {
  using dir = tempDir();
  await prepareEmbeddedStore(dir.path);
  const database = await open({ directory: dir.path, answerMs: 2_000 });
  // A deferred trigger runs in the commit.
  await database.execute(`
    create function spin() returns trigger language plpgsql as $$ begin loop end loop; end $$;
    create constraint trigger spin after insert on notes deferrable initially deferred for each row execute function spin()`);
  await expect(database.query(writer, "insert into notes values (1, '')")).rejects.toMatchObject({
    code: 'STORE_UNAVAILABLE',
    details: { outcome: 'unknown' },
  });
  await database.close();
});

// A new cluster in place of the lost one would begin every chain again.
test('a cluster that is gone is not replaced, and is used again when it is back', async () => {
  using dir = tempDir();
  await prepareEmbeddedStore(dir.path);
  const database = await open({ directory: dir.path, answerMs: 2_000 });
  await database.query(writer, "insert into notes values (1, 'kept')");
  const [cluster, elsewhere] = [join(dir.path, 'postgres'), join(dir.path, 'elsewhere')];
  renameSync(cluster, elsewhere);
  await expect(database.query(writer, forEver)).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' });
  await until(() => refusal(database).then((message) => message.includes('is missing')), {
    timeoutMs: 60_000,
    what: 'an attempt to open the store',
  });
  renameSync(elsewhere, cluster);
  await until(() => canRead(database), { timeoutMs: 60_000, what: 'the store that opens again' });
  expect(await database.query(writer, 'select body from notes')).toEqual([{ body: 'kept' }]);
  await database.close();
});

test('writes are refused before the disk is full, reads go on, and writes work when there is space', async () => {
  using dir = tempDir();
  await prepareEmbeddedStore(dir.path);
  let free = 10_000_000;
  const database = await open({ directory: dir.path, reserveBytes: 1_000_000, freeBytes: async () => free });
  await database.query(writer, "insert into notes values (1, 'first')");
  free = 999_999;
  const full = { code: 'STORE_FULL', details: { free_bytes: 999_999, needed_bytes: 1_000_000 } };
  await expect(database.query(writer, "insert into notes values (2, 'second')")).rejects.toMatchObject(full);
  await expect(database.query(writer, 'delete from notes')).rejects.toMatchObject(full);
  await expect(
    database.transaction(writer, (session) => copyRows(session, 'copy notes from stdin', ['2\tsecond\n'])),
  ).rejects.toMatchObject({ code: 'STORE_FULL' });
  expect(await database.query(writer, 'select body from notes for update')).toEqual([{ body: 'first' }]);
  free = 1_000_000;
  await database.query(writer, "insert into notes values (2, 'second')");
  await database.close();
});

test('a value that is a small part of a large memory is copied alone', async () => {
  const database = await open();
  const large = Buffer.from(new ArrayBuffer(64 * 1024 * 1024), 1_000, 3).fill(7);
  const [row] = await database.query(writer, 'select $1::bytea as one, $2::bytea[] as many', [
    large,
    [large],
  ]);
  expect(row).toEqual({ one: new Uint8Array([7, 7, 7]), many: [new Uint8Array([7, 7, 7])] });
  await database.close();
});

async function canRead(database: PgliteDatabase): Promise<boolean> {
  return (await refusal(database)) === '';
}

async function refusal(database: PgliteDatabase): Promise<string> {
  return await database.query(writer, 'select 1').then(
    () => '',
    (error: Error) => error.message,
  );
}

// PGlite has no autovacuum. In a store with 30,000 records, each record of a page was found by reading the whole chain, because the planner
// took two indexes for equally good: a search took 217 s, and everything else waited for it.
test('the statistics of a store follow its tables, so that a reader finds a record by its place in the chain', async () => {
  using dir = tempDir();
  await prepareEmbeddedStore(dir.path);
  const database = await open({ directory: dir.path });
  const chain = new Writer(database, { logName });
  const tenant = newTenant();
  const renewed = async () => {
    const rows = await database.query<{ relname: string }>(
      writer,
      "select relname from pg_class where relkind = 'r' and reltuples > 0 and relname ~ '^audit_records_|^notes'",
    );
    return rows.map(({ relname }) => relname);
  };
  expect(await renewed()).toEqual([]);
  await chain.submit(items(1_000, tenant));
  await until(async () => (await renewed()).some((name) => name.startsWith('audit_records_')), {
    what: 'the statistics of the records',
  });
  const plan = await database.query(
    { role: 'reader', tenants: [tenant] },
    'explain select record from audit_records where tenant_id = $1 and epoch = 1 and sequence_number = 500',
    [tenant],
  );
  expect(JSON.stringify(plan)).toContain('epoch_sequence_number_idx');
  // A small table keeps none.
  expect(await renewed()).not.toContain('notes');
  await chain.close();
  await database.close();
});
