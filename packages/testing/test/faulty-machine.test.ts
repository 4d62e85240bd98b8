import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import pg from 'pg';
import { expect, type TestContext, test } from 'vitest';
import { startPostgres } from '../src/postgres.ts';
import { ShiftedClock } from '../src/shifted-clock.ts';
import { smallDisk } from '../src/small-disk.ts';
import { tempDir } from '../src/temp-dir.ts';

const day = 24 * 60 * 60 * 1_000;

function skipWithout({ task, skip }: TestContext, part: string): never {
  if (process.env.REQUIRE_ALL === '1') throw new Error(`REQUIRE_ALL=1, but this machine has no ${part}`);
  console.warn(`\n*** NOT RUN: "${task.name}": this machine has no ${part}. ***\n`);
  return skip(part);
}

async function connect(connectionString: string): Promise<pg.Client> {
  const client = new pg.Client({ connectionString });
  await client.connect();
  return client;
}

test("a test can move a server's clock while it runs, and its time-outs keep their length", async (context) => {
  using dir = tempDir();
  const clock = ShiftedClock.create(dir.path) ?? skipWithout(context, 'C compiler');
  await using postgres = await startPostgres({ durable: false, env: clock.env });
  const client = await connect(postgres.adminUrl);
  const ahead = async () => {
    const { rows } = await client.query(
      'select (extract(epoch from clock_timestamp()) * 1000)::float8 as clock, (extract(epoch from now()) * 1000)::float8 as now',
    );
    expect(rows[0].now).toBeCloseTo(rows[0].clock, -3);
    return (rows[0].clock - Date.now()) / day;
  };
  expect(await ahead()).toBeCloseTo(0, 2);
  for (const days of [31, -2, 0.5, 0]) {
    clock.set(days * day);
    expect(await ahead()).toBeCloseTo(days, 2);
  }

  clock.set(3 * day);
  // This session begins after the jump. An alarm that PostgreSQL set before a jump fires late.
  const other = await connect(postgres.adminUrl);
  await client.query('create table held (a integer)');
  await client.query('begin; lock table held');
  const asked = performance.now();
  await expect(other.query("set lock_timeout = '300ms'; select * from held")).rejects.toMatchObject({
    code: '55P03',
  });
  expect(performance.now() - asked).toBeGreaterThanOrEqual(290);
  await client.end();
  await other.end();
});

test('a small disk can be filled and emptied', (context) => {
  using disk = smallDisk(32 * 1024 * 1024) ?? skipWithout(context, 'right to mount');
  const block = Buffer.alloc(1024 * 1024);
  writeFileSync(join(disk.path, 'kept'), block);
  disk.fill(64 * 1024);
  expect(disk.free).toBe(64 * 1024);
  expect(() => writeFileSync(join(disk.path, 'refused'), block)).toThrow(/ENOSPC/);
  disk.empty();
  writeFileSync(join(disk.path, 'taken'), block);
  expect(disk.free).toBeGreaterThan(28 * 1024 * 1024);
});
