import { afterAll, beforeAll, expect, test } from 'vitest';
import { writer } from '../../src/store/database.ts';
import { openPostgres, type PostgresStore } from '../stores.ts';

let store: PostgresStore;
beforeAll(async () => {
  store = await openPostgres();
  await store.asOwner(`create table lines (n int primary key, text text);
    insert into lines values (1, 'taken'); grant select, insert on lines to tally_writer`);
});
afterAll(() => store.close());

const statement = 'copy lines from stdin';
const count = "select count(*)::int as count from lines where text <> 'taken'";

function* lines(first: number, last: number, width: number): Generator<string> {
  for (let n = first; n <= last; n++) yield `${n}\t${'x'.repeat(width)}\n`;
}

// The stream that was used for COPY kept writing to the connection it had lost when the server refused a row while it
// waited for the socket to drain: the TypeError came from an event of the socket, and ended the process.
test('a row that is refused while megabytes wait for the socket ends the COPY, and nothing else', async () => {
  const rows = await store.database.transaction(writer, async (session) => {
    await session.query('savepoint copying');
    await expect(session.copy(statement, lines(1, 40, 1_000_000))).rejects.toMatchObject({ code: '23505' });
    await session.query('rollback to savepoint copying');
    // The connection is usable at once, and the rest of what was not sent does not reach it.
    await session.copy(statement, lines(100, 110, 1_000_000));
    return await session.query(count);
  });
  expect(rows).toEqual([{ count: 11 }]);
});

test.each([0, 1, 30])('rows that can not be computed after %i others leave none', async (sent) => {
  await store.asOwner("delete from lines where text <> 'taken'");
  const rows = await store.database.transaction(writer, async (session) => {
    await session.query('savepoint copying');
    const failing = function* () {
      yield* lines(200, 199 + sent, 100_000);
      throw new Error('no more');
    };
    await expect(session.copy(statement, failing())).rejects.toThrow('no more');
    await session.query('rollback to savepoint copying');
    return await session.query(count);
  });
  expect(rows).toEqual([{ count: 0 }]);
});

test('no rows at all are no fault', async () => {
  await store.database.transaction(writer, (session) => session.copy(statement, []));
});

test('a connection that is ended in mid-COPY is an unavailable store, and the next transaction has another', async () => {
  const dying = store.database.transaction(writer, async (session) => {
    const [{ pid }] = (await session.query('select pg_backend_pid() as pid')) as [{ pid: number }];
    const rows = function* () {
      yield* lines(300, 300, 1_000_000);
      void store.asOwner(`select pg_terminate_backend(${pid})`);
      yield* lines(301, 400, 1_000_000);
    };
    await session.copy(statement, rows());
    // The end may come after the last row was taken, never unnoticed.
    for (;;) await session.query('select pg_sleep(0.05)');
  });
  await expect(dying).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' });
  expect(await store.database.query(writer, count)).toEqual([{ count: 0 }]);
});
