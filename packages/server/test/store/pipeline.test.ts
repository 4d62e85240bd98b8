import assert from 'node:assert/strict';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
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

describe('a pipeline', () => {
  const names = ['tally_test_one', 'tally_test_two', 'tally_test_three'];
  const one = { name: names[0]!, text: 'select $1::int as n', values: [1] };

  test('gives each statement its own rows', async () => {
    const results = await store.database.transaction(writer, (session) =>
      session.pipeline(one, { text: 'select null as n where false' }, { ...one, values: [7] }),
    );
    expect(results).toEqual([[{ n: 1 }], [], [{ n: 7 }]]);
  });

  test('runs nothing after the first that fails, and the names on its way stay usable', async () => {
    const [, two, three] = names.map((name) => ({ name, text: `insert into lines values ($1, '${name}')` }));
    const rows = await store.database.transaction(writer, async (session) => {
      await session.query('savepoint here');
      const failing = session.pipeline(
        { ...two!, values: [500] },
        { ...three!, values: [1] },
        { text: 'select 1 / 0' },
      );
      await expect(failing).rejects.toMatchObject({ code: '23505' });
      await session.query('rollback to savepoint here');
      await session.pipeline({ ...two!, values: [501] }, { ...three!, values: [502] });
      await session.pipeline({ ...three!, values: [503] });
      return await session.query("select n from lines where text like 'tally%' order by n");
    });
    expect(rows).toEqual([{ n: 501 }, { n: 502 }, { n: 503 }]);
  });

  test('fails with what a parameter or an answer could not be turned into', async () => {
    const unrenderable = { toPostgres: () => assert.fail('no text for it') };
    for (const statement of [
      { text: 'select $1::text', values: [unrenderable] },
      { text: 'select 9007199254740993 as n' },
    ]) {
      const failing = store.database.transaction(writer, (session) => session.pipeline(one, statement, one));
      await expect(failing).rejects.toThrow(/no text for it|exceeds/);
    }
    expect(await store.database.query(writer, 'select 1 as n')).toEqual([{ n: 1 }]);
  });

  test.each([
    ['whose table has changed', () => store.asOwner('alter table things alter n type text'), '0A000', '1'],
    ['that is not there any more', () => store.database.query(writer, 'deallocate all'), '26000', 1],
  ])('with a prepared statement %s fails once', async (_, spoil, code, n) => {
    await store.asOwner(
      'drop table if exists things; create table things as select 1 as n; grant select on things to public',
    );
    const things = { name: `tally_test_${code}`, text: 'select n from things' };
    const ask = () => store.database.transaction(writer, (session) => session.pipeline(things));
    await ask();
    await spoil();
    await expect(ask()).rejects.toMatchObject({ code });
    expect(await ask()).toEqual([[{ n }]]);
  });

  test('without statements asks nothing, and a transaction without any does not begin', async () => {
    expect(await store.database.transaction(writer, (session) => session.pipeline())).toEqual([]);
    expect(await store.database.transaction(writer, async () => 'nothing')).toBe('nothing');
  });
});

describe('what is run around a COPY', () => {
  const insert = (n: number) => ({ text: `insert into lines values (${n}, 'around')` });
  const around = "select n from lines where text = 'around' order by n";

  test('is run before and after it, the latter made when the rows are known', async () => {
    let made = 0;
    const rows = function* () {
      for (const line of lines(600, 602, 10)) {
        made++;
        yield line;
      }
    };
    const found = await store.database.transaction(writer, async (session) => {
      await session.copy(statement, rows(), { before: [insert(610)], after: () => [insert(610 + made)] });
      return await session.query(around);
    });
    expect(found).toEqual([{ n: 610 }, { n: 613 }]);
  });

  test.each([
    ['the one before', { before: [insert(1)] }, [620]],
    ['a row', {}, [1]],
    ['the one after', { after: () => [insert(1)] }, [620]],
  ])('comes to nothing with all the rest where %s is refused', async (_, what, [n]) => {
    const found = await store.database.transaction(writer, async (session) => {
      await session.query('savepoint here');
      const copying = session.copy(statement, lines(n!, n!, 10), { after: () => [insert(621)], ...what });
      await expect(copying).rejects.toMatchObject({ code: '23505' });
      await session.query('rollback to savepoint here');
      return await session.query('select n from lines where n between 620 and 629');
    });
    expect(found).toEqual([]);
  });

  test('that can not be made ends the pipeline', async () => {
    const failing = store.database.transaction(writer, (session) =>
      session.copy(statement, lines(630, 630, 10), { after: () => assert.fail('no books') }),
    );
    await expect(failing).rejects.toThrow('no books');
    expect(await store.database.query(writer, 'select n from lines where n = 630')).toEqual([]);
  });
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
  expect(await store.database.query(writer, 'select n from lines where n between 300 and 400')).toEqual([]);
});
