import { randomInt } from 'node:crypto';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { migratePostgres } from '@tallystick/server/store';
import { startPostgres, tempDir } from '@tallystick/testing';
import pg from 'pg';
import { expect, test } from 'vitest';
import { IngestProcess } from './ingest-process.ts';
import { Ledger } from './ledger.ts';
import { seededRandom } from './seeded-random.ts';

const logName = 'audit.crash';
const tenants = ['tenant-a', 'tenant-b', 'tenant-c'];
const rounds = Number(process.env.CRASH_ROUNDS ?? 20);
const seed = Number(process.env.CRASH_SEED ?? randomInt(2 ** 31));

/**
 * The promise: an acknowledged event is in its chain exactly once, at the acknowledged position, whichever process was killed
 * and when. In every fifth round the database server is killed as well, and the ingesting process must continue with the
 * restarted server.
 */
test(`${rounds} kills during ingestion lose nothing (CRASH_SEED=${seed})`, { timeout: 300_000 }, async () => {
  using dir = tempDir();
  // With fsync: what the server has acknowledged must be on the disk when it is killed.
  await using postgres = await startPostgres();
  const { url: ownerUrl } = await postgres.createDatabase();
  const owner = await connect(postgres.adminUrl);
  await owner.query(`create role svc login password 'svc'`);
  await owner.end();
  await migratePostgres(ownerUrl, 'svc');
  const serviceUrl = new URL(ownerUrl);
  serviceUrl.username = serviceUrl.password = 'svc';

  const random = seededRandom(seed);
  const ledger = new Ledger(tenants, logName);
  const started = performance.now();
  const killed = { ingest: 0, ingestAtStart: 0, postgres: 0 };
  const spawnNext = (round: number) => new IngestProcess(join(dir.path, `round-${round}`));
  let next = spawnNext(0);
  for (let round = 0; round < rounds; round++) {
    const ingest = next;
    if (round + 1 < rounds) next = spawnNext(round + 1);
    ingest.start({
      store: { databaseUrl: serviceUrl.href },
      signerDirectory: join(dir.path, 'signer'),
      logName,
      tenants,
      unacknowledged: ledger.unacknowledged(),
    });
    if (round % 10 === 9) {
      // The kill comes while the process opens the store, submits again, or has just begun.
      await delay(random(0, 400));
      killed.ingestAtStart++;
    } else {
      await ingest.acknowledgesAfter(0);
      await delay(random(5, 250));
      if (round % 5 === 3) {
        await postgres.kill('SIGKILL');
        const before = ingest.written;
        await postgres.restart();
        // The same ingesting process continues.
        await ingest.acknowledgesAfter(before);
        killed.postgres++;
      }
      killed.ingest++;
    }
    await ingest.kill();
    ledger.take(ingest.lines());
    const reader = await connect(ownerUrl);
    await ledger.check(async (sql, parameters) => (await reader.query(sql, parameters)).rows);
    await reader.end();
  }
  expect(killed.ingest + killed.ingestAtStart).toBe(rounds);
  expect(ledger.acknowledged).toBeGreaterThan(rounds);
  const { acknowledged, records, resent, duplicates } = ledger;
  const seconds = Math.round((performance.now() - started) / 100) / 10;
  const result = { killed, acknowledged, records, resent, already_stored: duplicates, seed, seconds };
  console.log(JSON.stringify({ name: 'kill-ingest/postgres', ...result }));
});

async function connect(connectionString: string): Promise<pg.Client> {
  const client = new pg.Client({ connectionString });
  await client.connect();
  return client;
}
