import assert from 'node:assert/strict';
import { until } from '@tallystick/testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { writer } from '../../src/store/database.ts';
import { openPostgres, type PostgresStore } from '../stores.ts';
import { copyRows } from './run-copy.ts';

let store: PostgresStore;
beforeAll(async () => {
  store = await openPostgres();
  await store.asOwner(`create table lines (n int primary key, text text);
    insert into lines values (1, 'taken'); grant select, insert on lines to ${store.writerRole}`);
});
afterAll(() => store.close());

const statement = 'copy lines from stdin';
const count = "select count(*)::int as count from lines where text <> 'taken'";

function* lines(first: number, last: number, width: number): Generator<string> {
  for (let n = first; n <= last; n++) yield `${n}\t${'x'.repeat(width)}\n`;
}

// The stream of pg-copy-streams went on writing to a connection that it no longer had, when the server refused a row while
// the stream waited for the socket to drain. The TypeError was thrown from a socket event and ended the process.
test('a row that is refused while megabytes wait for the socket ends only the COPY', async () => {
  const rows = await store.database.transaction(writer, async (session) => {
    await session.query('savepoint copying');
    await expect(copyRows(session, statement, lines(1, 40, 1_000_000))).rejects.toMatchObject({
      code: '23505',
    });
    await session.query('rollback to savepoint copying');
    // The connection is usable at once, and the rows that were not sent do not reach it.
    await copyRows(session, statement, lines(100, 110, 1_000_000));
    return await session.query(count);
  });
  expect(rows).toEqual([{ count: 11 }]);
});

test.each([0, 1, 30])('rows that cannot be computed after %i others leave no row', async (sent) => {
  await store.asOwner("delete from lines where text <> 'taken'");
  const rows = await store.database.transaction(writer, async (session) => {
    await session.query('savepoint copying');
    const failing = function* () {
      yield* lines(200, 199 + sent, 100_000);
      throw new Error('no more');
    };
    await expect(copyRows(session, statement, failing())).rejects.toThrow('no more');
    await session.query('rollback to savepoint copying');
    return await session.query(count);
  });
  expect(rows).toEqual([{ count: 0 }]);
});

test('a COPY without rows succeeds', async () => {
  await store.database.transaction(writer, (session) => copyRows(session, statement, []));
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

  test('runs nothing after the first failure, and the named statements before it stay usable', async () => {
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

  test('fails if a parameter cannot be rendered or an answer cannot be parsed', async () => {
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

  test('without statements sends nothing, and a transaction without statements does not begin', async () => {
    expect(await store.database.transaction(writer, (session) => session.pipeline())).toEqual([]);
    expect(await store.database.transaction(writer, async () => 'nothing')).toBe('nothing');
  });
});

describe('statements around a COPY', () => {
  const insert = (n: number) => ({ text: `insert into lines values (${n}, 'around')` });
  const around = "select n from lines where text = 'around' order by n";

  test('are run before and after it', async () => {
    const found = await store.database.transaction(writer, async (session) => {
      await copyRows(session, statement, lines(600, 602, 10), {
        before: [insert(610)],
        after: [insert(613)],
      });
      return await session.query(around);
    });
    expect(found).toEqual([{ n: 610 }, { n: 613 }]);
  });

  test.each([
    ['the one before', [insert(1)], 620, insert(621)],
    ['a row', [], 1, insert(621)],
    ['the one after', [], 620, insert(1)],
  ])('are undone with all the rest if %s is refused', async (_, before, n, after) => {
    const found = await store.database.transaction(writer, async (session) => {
      await session.query('savepoint here');
      const copying = session.beginCopy(statement, before);
      await copying.write([...lines(n, n, 10)].join(''));
      const result = await copying.finish([after]);
      expect(result).toMatchObject({ status: 'duplicate', error: { code: '23505' } });
      await session.query('rollback to savepoint here');
      return await session.query('select n from lines where n between 620 and 629');
    });
    expect(found).toEqual([]);
  });

  test('fail if a parameter cannot be rendered, and leave no row', async () => {
    const unrenderable = {
      text: 'select $1::text',
      values: [{ toPostgres: () => assert.fail('no text for it') }],
    };
    for (const statements of [{ before: [unrenderable] }, { after: [unrenderable] }]) {
      const failing = store.database.transaction(writer, (session) =>
        copyRows(session, statement, lines(630, 630, 10), statements),
      );
      await expect(failing).rejects.toThrow('no text for it');
    }
    expect(await store.database.query(writer, 'select n from lines where n = 630')).toEqual([]);
  });
});

describe('a COPY', () => {
  test('that was refused asks for no further rows', async () => {
    // The rows never end. Only a COPY that stops asking for rows ends.
    const endless = () => lines(1, Number.POSITIVE_INFINITY, 1_000_000);
    const refused = store.database.transaction(writer, (session) => copyRows(session, statement, endless()));
    await expect(refused).rejects.toMatchObject({ code: '23505' });
  });

  test('overlaps with the database: rows arrive there while the caller computes others', async () => {
    const seen = await store.database.transaction(writer, async (session) => {
      const [{ pid }] = (await session.query('select pg_backend_pid() as pid')) as [{ pid: number }];
      const copying = session.beginCopy(statement);
      await copying.write([...lines(640, 650, 10_000)].join(''));
      await until(async () => {
        const rows = await store.asOwner(
          'select 1 from pg_stat_progress_copy where pid = $1 and tuples_processed > 0',
          [pid],
        );
        return rows.length === 1;
      });
      return await copying.finish();
    });
    expect(seen).toEqual({ status: 'stored' });
  });

  test.each([0, 1])('that is not finished after %i chunks fails its transaction', async (written) => {
    const unfinished = store.database.transaction(writer, async (session) => {
      const copying = session.beginCopy(statement);
      if (written > 0) await copying.write([...lines(660, 661, 10)].join(''));
    });
    await expect(unfinished).rejects.toThrow('before its COPY was finished');
    expect(await store.database.query(writer, 'select n from lines where n between 660 and 669')).toEqual([]);
  });

  test('that has ended takes no more rows', async () => {
    await store.database.transaction(writer, async (session) => {
      const copying = session.beginCopy(statement);
      await copying.finish();
      await expect(copying.write('x')).rejects.toThrow('has ended');
    });
  });
});

test('a connection that ends in the middle of a COPY is an unavailable store, and the next transaction gets another one', async () => {
  const dying = store.database.transaction(writer, async (session) => {
    const [{ pid }] = (await session.query('select pg_backend_pid() as pid')) as [{ pid: number }];
    const rows = function* () {
      yield* lines(300, 300, 1_000_000);
      void store.asOwner(`select pg_terminate_backend(${pid})`);
      yield* lines(301, 400, 1_000_000);
    };
    await copyRows(session, statement, rows());
    // The connection may end after the last row was taken, but it is always noticed.
    for (;;) await session.query('select pg_sleep(0.05)');
  });
  await expect(dying).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' });
  expect(await store.database.query(writer, 'select n from lines where n between 300 and 400')).toEqual([]);
});
