import { cpSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { AuditService } from '@tallystick/server';
import { serveHttp } from '@tallystick/server/http';
import { PgliteDatabase } from '@tallystick/server/store';
import { prepareEmbeddedStore, tempDir } from '@tallystick/testing';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { tally } from '../../run-tally.ts';

/** A restore from a backup, as an operator and an auditor see it. The tests depend on each other and run in order. */
vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 });
const dir = tempDir();
afterAll(() => dir.remove());
const data = join(dir.path, 'store');
/** The database alone: the signer's directory is not restored with it. */
const [database, backup] = [join(data, 'postgres'), join(dir.path, 'backup')];
const env = {
  XDG_CONFIG_HOME: join(dir.path, 'config'),
  TALLYSTICK_DATA: data,
  TALLYSTICK_LOG_NAME: 'audit.test',
  TALLYSTICK_TENANT: 'acme',
};
const run = (...args: string[]) => tally(args, { cwd: dir.path, env });

const idOf = (n: number) => `0190a1b2-0000-7000-8000-00000000000${n}`;
const events = [1, 2, 3, 4].map((n) =>
  JSON.stringify({
    audit_id: idOf(n),
    tenant_id: 'acme',
    timestamp: '2026-01-02T03:04:05.678Z',
    event_type: 'access.granted',
    actor_type: 'user',
    actor_id: `actor-${n}`,
    source_service: 'test',
  }),
);
/** As the service does while it runs. */
const serve = async (submitted: readonly string[]) => {
  const service = await AuditService.open({
    store: { directory: data },
    logName: env.TALLYSTICK_LOG_NAME,
    checkpointIntervalMs: 0,
  });
  const results = await service.submit({ events: submitted, source: 'test', trust: 'operator' });
  await service.logs.checkpoint('acme');
  await service.close();
  return results.map((result) => `${result.status} ${'receipt' in result ? result.receipt.epoch : ''}`);
};

beforeAll(async () => {
  await prepareEmbeddedStore(data);
  await serve(events.slice(0, 2));
  cpSync(database, backup, { recursive: true });
  await serve(events.slice(2));
});

test('a chain that is what was signed needs no recovery', async () => {
  expect((await run('verify')).stdout).toContain('✔ verified  acme  5 records');
  await run('receipt', idOf(4), '-o', 'lost.tlog-proof');
  expect(await run('recover')).toMatchObject({
    exitCode: 3,
    stderr: expect.stringContaining('the chain of acme is not stopped'),
  });
  expect(await tally(['recover'], { env: { ...env, TALLYSTICK_TENANT: undefined } })).toMatchObject({
    exitCode: 0,
    stderr: expect.stringContaining('no chain is stopped'),
  });
});

test('after a restore the chain is stopped, and verification says broken', async () => {
  rmSync(database, { recursive: true });
  cpSync(backup, database, { recursive: true });
  const { stdout, exitCode } = await run('verify');
  expect([exitCode, stdout]).toEqual([1, expect.stringContaining('✘ BROKEN  acme  3 records')]);
});

test('without --yes the recovery is only shown', async () => {
  const { stdout, stderr, exitCode } = await run('recover');
  expect(stdout).toMatch(/acme +5 +3 +2 +5 records were signed, the store has 3/);
  expect([exitCode, stderr]).toEqual([0, expect.stringContaining('nothing was changed')]);
  expect((await run('recover', '--json')).json()).toEqual([
    {
      tenant_id: 'acme',
      stopped: '5 records were signed, the store has 3',
      signed: { origin: 'audit.test/acme/1', size: 5 },
      stored: 3,
      epoch: 2,
      origin: 'audit.test/acme/2',
    },
  ]);
  expect((await run('recover', '--yes')).stderr).toContain('--yes needs --reason');
  expect(await run('recover', '--yes', '--reason', 'two\nlines')).toMatchObject({
    exitCode: 3,
    stderr: expect.stringContaining('one line'),
  });
});

test('--yes restarts the chain, and every later verification says so', async () => {
  const done = await run('recover', '--yes', '--reason', 'restored the backup of noon');
  expect(done).toMatchObject({ exitCode: 0, stdout: 'acme: began epoch 2, audit.test/acme/2\n' });
  // The source sends the lost events again; the others are duplicates.
  expect(await serve(events)).toEqual(['duplicate 1', 'duplicate 1', 'chained 2', 'chained 2']);

  const verified = await run('verify');
  expect(verified.exitCode).toBe(0);
  expect(verified.stdout).toContain('✔ recovered  acme  3 records');
  expect(verified.stderr).toContain(
    'audit.test/acme/2 is a new epoch: it does not include the 5 records of audit.test/acme/1',
  );
  expect(verified.stderr).toContain('Its first record names this checkpoint');
  // The notice is about what changed, so it comes once.
  expect((await run('verify')).stderr).toBe('');
  const listed = (await run('events', '--json')).json() as { epoch: number; event_type: string }[];
  const places = listed.map(({ epoch, event_type }) => `${epoch} ${event_type}`);
  expect(places).toEqual(
    expect.arrayContaining(['1 access.granted', '2 access.granted', '2 system.genesis']),
  );
});

test('earlier receipts are still valid, and there are new ones for both epochs', async () => {
  expect((await run('verify', 'lost.tlog-proof')).stdout).toContain('verified');
  for (const n of [2, 4]) {
    expect((await run('receipt', idOf(n), '-o', `${n}.tlog-proof`)).exitCode).toBe(0);
    const verdict = n === 2 ? '✔ verified' : '✔ recovered';
    expect((await run('verify', `${n}.tlog-proof`)).stdout).toContain(verdict);
  }
  await run('export', '-o', 'acme.tally');
  expect((await run('verify', 'acme.tally')).stdout).toContain('recovered');
});

/** `tally verify` on a service of this store. */
const verifyServed = async () => {
  const service = await AuditService.open({ store: { directory: data }, logName: 'audit.test' });
  const { key } = await service.keys.create({ name: 'auditor', scopes: ['admin'] });
  const server = await serveHttp(service, { port: 0, logger: false, auditReads: false });
  try {
    return await tally(['verify', '--server', server.url, '--key', key, '--tenant', 'acme'], {
      cwd: dir.path,
      env: { XDG_CONFIG_HOME: join(dir.path, 'other config') },
    });
  } finally {
    await server.close();
    await service.close();
  }
};

test('every verification states what the closed epoch lost', async () => {
  await run('export', '-o', 'sound.tally');
  const closed =
    'closed epoch 1: 5 records were signed, 3 records left and compared, lost: #3–#4 (2 records)';
  for (const verified of [await run('verify'), await run('verify', 'sound.tally'), await verifyServed()]) {
    expect(verified).toMatchObject({ exitCode: 0, stdout: expect.stringContaining(closed) });
  }
});

test('a record of the closed epoch that is edited later breaks every verification', async () => {
  const store = await PgliteDatabase.open(data);
  await store.asOwner(async (session) => {
    await session.query('set local session_replication_role = replica');
    await session.query(
      "update audit_records set record = replace(record, 'actor-2', 'actor-9') where epoch = 1 and sequence_number = 2",
    );
  });
  await store.close();
  await run('export', '-o', 'edited.tally');
  for (const verified of [await run('verify'), await run('verify', 'edited.tally'), await verifyServed()]) {
    expect(verified).toMatchObject({
      exitCode: 1,
      stdout: expect.stringMatching(/CLOSED_RECORDS_CHANGED +0 of epoch 1/),
    });
  }
});
