import { join } from 'node:path';
import { AuditService } from '@tallystick/server';
import { PgliteDatabase } from '@tallystick/server/store';
import { prepareEmbeddedStore, tempDir } from '@tallystick/testing';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { tally } from '../../run-tally.ts';

/** A row that somebody planted in the store, as the operator sees it. The tests depend on each other and run in order. */
vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 });
const dir = tempDir();
afterAll(() => dir.remove());
const data = join(dir.path, 'store');
const env = {
  XDG_CONFIG_HOME: join(dir.path, 'config'),
  TALLYSTICK_DATA: data,
  TALLYSTICK_LOG_NAME: 'audit.test',
};
const run = (...args: string[]) => tally(args, { cwd: dir.path, env });
const planted = '00000000-0000-4000-8000-000000000007';

beforeAll(async () => {
  await prepareEmbeddedStore(data);
  const service = await AuditService.open({
    store: { directory: data },
    logName: 'audit.test',
    checkpointIntervalMs: 0,
  });
  const event = {
    audit_id: '0190a1b2-0000-7000-8000-000000000001',
    tenant_id: 'acme',
    timestamp: '2026-01-02T03:04:05.678Z',
    event_type: 'access.granted',
    actor_type: 'user',
    actor_id: 'alice',
    source_service: 'test',
  };
  await service.submit({ events: [JSON.stringify(event)], source: 'test', trust: 'operator' });
  await service.logs.checkpoint('acme');
  await service.close();
});

test('a store without strays', async () => {
  expect(await run('strays')).toMatchObject({
    exitCode: 0,
    stdout: '',
    stderr: expect.stringContaining('every row belongs to a chain'),
  });
});

test('a planted row breaks the verification, and is listed', async () => {
  const database = await PgliteDatabase.open(join(data));
  await database.asOwner((session) =>
    session.query(`insert into audit_records
      select tenant_id, 4, 12, '${planted}', ingested_at, "timestamp", event_type, event_category, severity, actor_type,
             actor_id, target_type, target_id, investigation_id, alert_id, correlation_id, trace_id, outcome_status,
             source_service, is_sensitive, previous_hash, record_hash, record
        from audit_records where sequence_number = 1`),
  );
  await database.close();
  const verified = await run('verify', '--tenant', 'acme');
  expect(verified.exitCode).toBe(1);
  expect(verified.stdout).toMatch(/STRAY_ROW +12 .*record 12 of epoch 4/s);
  const { stdout, stderr, exitCode } = await run('strays');
  expect(stdout).toMatch(new RegExp(`acme +record +4 +12 +${planted}`));
  expect([exitCode, stderr]).toEqual([0, expect.stringContaining('nothing was changed')]);
  expect((await run('strays', '--json')).json()).toEqual([
    { tenant_id: 'acme', kind: 'record', epoch: 4, sequence_number: 12, audit_id: planted, signed: false },
  ]);
});

test('it is removed for a reason, which is recorded', async () => {
  expect(await run('strays', '--yes')).toMatchObject({ exitCode: 3 });
  expect(await run('strays', '--yes', '--reason', 'two\nlines')).toMatchObject({ exitCode: 3 });
  const { stdout, exitCode } = await run('strays', '--yes', '--reason', 'stolen login');
  expect([exitCode, stdout]).toEqual([0, expect.stringContaining('removed 1 rows')]);
  const { stdout: shown } = await run(
    'events',
    '--tenant',
    'acme',
    '--type',
    'audit.strays_removed',
    '--json',
  );
  expect(shown).toContain('stolen login');
  expect((await run('verify', '--tenant', 'acme')).stdout).toContain('✔ verified  acme');
});
