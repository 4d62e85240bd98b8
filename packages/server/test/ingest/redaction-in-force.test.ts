import { join } from 'node:path';
import { type TempDir, tempDir } from '@tallystick/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { AuditService } from '../../src/app.ts';
import { defaultRules, type RedactionSetting } from '../../src/ingest/admit/redaction-rules.ts';
import { writer } from '../../src/store/database.ts';
import { expectSoundChain } from '../chains.ts';
import { anEvent, logName, newTenant } from '../events.ts';

let dir: TempDir;
beforeAll(() => {
  dir = tempDir();
});
afterAll(() => dir.remove());

async function withService<T>(
  redaction: RedactionSetting | undefined,
  work: (service: AuditService) => Promise<T>,
): Promise<T> {
  const service = await AuditService.open({
    store: { directory: join(dir.path, 'data') },
    logName,
    checkpointIntervalMs: 0,
    redaction,
  });
  try {
    return await work(service);
  } finally {
    await service.close();
  }
}

const from = { source: 'http', trust: 'api-key', principal: 'key:1' } as const;
const extended: RedactionSetting = { ...defaultRules, names: ['member_number'] };
const withSecret = (tenant: string, password: string) => ({
  ...anEvent(tenant),
  context: { command: `mysql -u root -p${password} shop`, member_number: 'M-1' },
});

test('secrets are removed before the chain and before dead letters, and a resent event is recognised as it was sent', async () => {
  const tenant = newTenant();
  const event = withSecret(tenant, 'hunter2');
  const text = JSON.stringify(event);
  const changed = JSON.stringify({
    ...event,
    context: { ...event.context, command: 'mysql -u root -phunter3 shop' },
  });

  const early = await withService('off', async (service) => {
    const early = { ...withSecret(tenant, 'early-secret1'), audit_id: anEvent(tenant).audit_id };
    const [first] = await service.submit({ ...from, events: [JSON.stringify(early)] });
    expect(first!.status).toBe('chained');
    return JSON.stringify(early);
  });

  await withService(defaultRules, async (service) => {
    const events = [
      text,
      text,
      JSON.stringify(event, null, 2),
      changed,
      early,
      '{"password":"hunter2","password":"hunter2"}',
      JSON.stringify({ ...anEvent(tenant), surprise: 'token=hunter2hunter2' }),
      'not JSON: password=hunter2',
    ];
    const results = await service.submit({ ...from, events });
    expect(results.map(({ status }) => status)).toEqual([
      ...['chained', 'duplicate', 'duplicate', 'conflict', 'duplicate'],
      ...['rejected', 'rejected', 'rejected'],
    ]);
    const [again, conflict] = await service.submit({ ...from, events: [text, changed] });
    expect([again!.status, conflict!.status]).toEqual(['duplicate', 'conflict']);

    const letters = await service.database.query<{ raw: Uint8Array }>(
      writer,
      'select raw from audit_dead_letters',
    );
    expect(letters.length).toBeGreaterThan(3);
    for (const { raw } of letters) expect(Buffer.from(raw).toString()).not.toMatch(/hunter/);
    const records = await service.database.query<{ record: string }>(
      writer,
      'select record from audit_records where tenant_id = $1',
      [tenant],
    );
    for (const { record } of records) expect(record).not.toContain('hunter');
    expect(records.some(({ record }) => record.includes('-p[REDACTED] shop'))).toBe(true);
    await expectSoundChain(service.database, tenant);
  });

  // Other rules would redact the event differently. It is the same event all the same.
  await withService(extended, async (service) => {
    const results = await service.submit({ ...from, events: [text, changed, early] });
    expect(results.map(({ status }) => status)).toEqual(['duplicate', 'conflict', 'duplicate']);
  });
  await withService('off', async (service) => {
    const [other] = await service.submit({
      ...from,
      events: [JSON.stringify(withSecret(tenant, 'hunter9'))],
    });
    expect(other!.status).toBe('chained');
  });
}, 120_000);

test('a change of the rules is chained once, with both digests, and no setting means the rules on record', async () => {
  const changes = (service: AuditService) =>
    service.database.query<{ previous: string; digest: string; rules: unknown }>(
      writer,
      `select (record::jsonb #>> '{event,metadata,previous}') as previous, (record::jsonb #>> '{event,metadata,digest}') as digest,
              (record::jsonb #> '{event,metadata,rules}') as rules
         from audit_records where event_type = 'audit.redaction_changed' order by sequence_number`,
    );
  const before = (await withService(undefined, changes)).length;
  await withService(extended, async () => {});
  const tenant = newTenant();
  await withService(undefined, async (service) => {
    await service.submit({ ...from, events: [JSON.stringify(withSecret(tenant, 'hunter2'))] });
    const records = await expectSoundChain(service.database, tenant);
    expect(records[1]!.event.context).toEqual({
      command: 'mysql -u root -p[REDACTED] shop',
      member_number: '[REDACTED]',
    });
  });
  const rows = (await withService(extended, changes)).slice(before);
  expect(rows).toEqual([
    {
      previous: 'none',
      digest: expect.stringMatching(/^[0-9a-f]{64}$/),
      rules: { names: ['member_number'], allow_names: [], paths: [] },
    },
  ]);
  const off = (await withService('off', changes)).at(-1)!;
  expect(off).toMatchObject({ previous: rows[0]!.digest, digest: 'none' });
}, 120_000);

test('the table of received events holds no secret, and rows older than 90 days are deleted', async () => {
  const tenant = newTenant();
  await withService(defaultRules, async (service) => {
    const old = anEvent(tenant);
    await service.database.query(
      writer,
      `insert into audit_received_events (tenant_id, audit_id, fingerprint, received_at)
       values ($1, $2::uuid, '\\x00', now() - interval '91 days')`,
      [tenant, old.audit_id],
    );
    const plain = anEvent(tenant);
    const secret = withSecret(tenant, 'hunter2');
    await service.submit({ ...from, events: [JSON.stringify(plain), JSON.stringify(secret)] });
    const rows = await service.database.query<{ audit_id: string; bytes: number }>(
      writer,
      'select audit_id::text, length(fingerprint) as bytes from audit_received_events where tenant_id = $1',
      [tenant],
    );
    expect(rows).toEqual([{ audit_id: secret.audit_id, bytes: 32 }]);
  });
}, 120_000);
