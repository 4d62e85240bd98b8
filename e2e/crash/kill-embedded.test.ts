import { randomInt } from 'node:crypto';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { PgliteDatabase } from '@tallystick/server/store';
import { prepareEmbeddedStore, tempDir, until } from '@tallystick/testing';
import { expect, test } from 'vitest';
import { IngestProcess } from './ingest-process.ts';
import { Ledger } from './ledger.ts';
import { seededRandom } from './seeded-random.ts';

const logName = 'audit.crash';
const tenants = ['tenant-a', 'tenant-b'];
const rounds = 5;
const seed = Number(process.env.CRASH_SEED ?? randomInt(2 ** 31));

test(`the embedded store keeps what it acknowledged through kill -9 (CRASH_SEED=${seed})`, {
  timeout: 240_000,
}, async () => {
  using dir = tempDir();
  const directory = join(dir.path, 'data');
  await prepareEmbeddedStore(directory);
  const random = seededRandom(seed);
  const ledger = new Ledger(tenants, logName);
  const started = performance.now();
  const openedAfterMs: number[] = [];
  const refusedAfterMs: number[] = [];
  for (let round = 0; round < rounds; round++) {
    const ingest = new IngestProcess(join(dir.path, `round-${round}`));
    ingest.start({
      store: { directory },
      signerDirectory: join(dir.path, 'signer'),
      logName,
      tenants,
      unacknowledged: ledger.unacknowledged(),
    });
    await ingest.acknowledgesAfter(0);

    // This process is the second one to open the directory, so it is refused at once. An open that waited for the lock would
    // run into the test's time limit.
    const asked = performance.now();
    await expect(PgliteDatabase.open(directory)).rejects.toMatchObject({
      code: 'DATA_DIRECTORY_LOCKED',
      details: { directory },
    });
    refusedAfterMs.push(performance.now() - asked);

    await delay(random(5, 250));
    await ingest.kill();
    ledger.take(ingest.lines());
    // The lock ended with the process: the next open neither waits nor needs a clean-up.
    const opening = performance.now();
    const database = await PgliteDatabase.open(directory);
    openedAfterMs.push(performance.now() - opening);
    await ledger.check((sql, parameters) =>
      database.asOwner(async (session) => await session.query(sql, parameters ?? [])),
    );
    await database.close();
  }
  expect(ledger.acknowledged).toBeGreaterThan(rounds);
  const { acknowledged, records, resent, duplicates } = ledger;
  const worst = (list: readonly number[]) => Math.round(Math.max(...list));
  console.log(
    JSON.stringify({
      name: 'kill-ingest/embedded',
      killed: rounds,
      acknowledged,
      records,
      resent,
      already_stored: duplicates,
      refused_within_ms: worst(refusedAfterMs),
      opened_within_ms: worst(openedAfterMs),
      seed,
      seconds: Math.round((performance.now() - started) / 100) / 10,
    }),
  );
});

// The first start once wrote the cluster's files directly into the data directory. A kill just after the file that marks a
// cluster left a directory that looked complete, and that no later start could open.
test('a first start that is killed while it writes the cluster leaves a directory that opens', {
  timeout: 120_000,
}, async () => {
  using dir = tempDir();
  const directory = join(dir.path, 'data');
  const first = new IngestProcess(join(dir.path, 'first'));
  const orders = { signerDirectory: join(dir.path, 'signer'), logName, tenants, unacknowledged: [] };
  first.start({ store: { directory }, ...orders });
  const marks = ['postgres', 'postgres.new'].map((name) => join(directory, name, 'PG_VERSION'));
  await until(() => marks.some((path) => existsSync(path)), { timeoutMs: 60_000, intervalMs: 1 });
  await first.kill();
  const second = new IngestProcess(join(dir.path, 'second'));
  second.start({ store: { directory }, ...orders });
  await second.acknowledgesAfter(0);
  await second.kill();
});
