import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { uuidv7 } from '@tallystick/event';
import { type TempDir, tempDir } from '@tallystick/testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { AuditService } from '../src/app.ts';
import { writer } from '../src/store/database.ts';
import { expectSoundChain } from './chains.ts';
import { anEvent, logName, newTenant } from './events.ts';

let dir: TempDir;
let service: AuditService;
beforeAll(async () => {
  dir = tempDir();
  const store = { directory: join(dir.path, 'data') };
  service = await AuditService.open({ store, logName, checkpointIntervalMs: 0 });
});
afterAll(async () => {
  await service?.close();
  dir.remove();
});

const from = { source: 'http', trust: 'api-key', principal: 'key:1' } as const;
const texts = (...events: object[]) => events.map((event) => JSON.stringify(event));

describe('a submission', () => {
  test('gets one result for each event, in order, and what is refused keeps nothing back', async () => {
    const tenant = newTenant();
    const first = anEvent(tenant);
    const events = [
      ...texts(first, { ...anEvent(tenant), surprise: 1 }),
      '{',
      ...texts(first, { ...first, actor_id: 'mallory' }, anEvent(tenant)),
    ];
    const results = await service.submit({ ...from, events });
    expect(results.map((result) => result.status)).toEqual([
      'chained',
      'rejected',
      'rejected',
      'duplicate',
      'conflict',
      'chained',
    ]);
    expect(results[1]).toMatchObject({
      error: { code: 'FIELD_UNKNOWN', pointer: '/surprise', dead_letter_id: expect.any(String) },
    });
    const records = await expectSoundChain(service.database, tenant);
    expect(records.map(({ event }) => event.event_type)).toEqual([
      'system.genesis',
      'access.granted',
      'delivery.conflict',
      'access.granted',
      'delivery.dead_lettered',
    ]);
  });

  test('of no events at all is answered at once', async () => {
    expect(await service.submit({ ...from, events: [] })).toEqual([]);
  });

  test('says in each record who handed it in, and by what number', async () => {
    const tenant = newTenant();
    const producer_id = uuidv7();
    const delivery = { producer_id, sequences: [7, 8] };
    await service.submit({ ...from, events: texts(anEvent(tenant), anEvent(tenant)), delivery });
    const records = await expectSoundChain(service.database, tenant);
    expect(records.slice(1).map(({ ingest: { nonce, ...rest } }) => rest)).toEqual(
      [7, 8].map((producer_seq) => ({ ...from, producer_id, producer_seq })),
    );
    // Two records of the same content still have hashes that can not be guessed.
    expect(new Set(records.map(({ ingest }) => ingest.nonce)).size).toBe(3);
  });
});

describe('tenants that the submitter has no right to', () => {
  test('get nothing: no record, no dead letter, and no word on whether they exist', async () => {
    const [mine, theirs] = [newTenant('mine'), newTenant('theirs')];
    await service.submit({ ...from, events: texts(anEvent(theirs)) });
    const foreign = anEvent(theirs);
    const results = await service.submit({
      ...from,
      tenants: [mine],
      events: texts(anEvent(mine), foreign, { ...anEvent(newTenant('nobody')) }),
    });
    expect(results.map((result) => result.status)).toEqual(['chained', 'rejected', 'rejected']);
    expect(results[1]).toEqual(results[2]);
    expect(results[1]).toMatchObject({ error: { code: 'TENANT_FORBIDDEN', pointer: '/tenant_id' } });
    expect(await expectSoundChain(service.database, theirs)).toHaveLength(2);
    const deadLetters = await service.database.query(
      writer,
      'select 1 from audit_dead_letters where audit_id = $1',
      [foreign.audit_id],
    );
    expect(deadLetters).toEqual([]);
  });

  // A refused event names its own tenant. Otherwise a client with one key could fill the dead letters of any other tenant.
  test('are not where its refused events are filed', async () => {
    const [mine, theirs] = [newTenant('mine'), newTenant('theirs')];
    const odd = (tenant: string) => ({ ...anEvent(tenant), surprise: 1 });
    const filedUnder = async (tenants: string[] | undefined, tenant: string) => {
      const submission = { ...from, ...(tenants && { tenants }), events: texts(odd(tenant)) };
      const [result] = await service.submit(submission);
      const [row] = await service.database.query<{ tenant_id: string | null }>(
        writer,
        'select tenant_id from audit_dead_letters where id = $1',
        [(result as { error: { dead_letter_id: string } }).error.dead_letter_id],
      );
      return row!.tenant_id;
    };
    expect(await filedUnder([mine, 'another'], mine)).toBe(mine);
    expect(await filedUnder([mine, 'another'], theirs)).toBeNull();
    expect(await filedUnder([mine], 'not/a/tenant')).toBe(mine);
    expect(await filedUnder(undefined, theirs)).toBe(theirs);
  });
});

describe('opening', () => {
  test('a directory that is already open is refused, and the first service keeps working', async () => {
    const store = { directory: join(dir.path, 'data') };
    await expect(AuditService.open({ store, logName })).rejects.toMatchObject({
      code: 'DATA_DIRECTORY_LOCKED',
    });
    const [result] = await service.submit({ ...from, events: texts(anEvent(newTenant())) });
    expect(result).toMatchObject({ status: 'chained' });
  });

  test('a server without a directory for the signer is a fault of the configuration', async () => {
    const opening = AuditService.open({ store: { databaseUrl: 'postgres://nobody@127.0.0.1:1/x' }, logName });
    await expect(opening).rejects.toMatchObject({ code: 'CONFIG_INVALID' });
  });

  test.each(['', 'two words', '-'])("the service's own tenant can't be %j", async (serviceTenant) => {
    const opening = AuditService.open({
      store: { directory: join(dir.path, 'never') },
      logName,
      serviceTenant,
    });
    await expect(opening).rejects.toMatchObject({ code: 'CONFIG_INVALID' });
    expect(existsSync(join(dir.path, 'never'))).toBe(false);
  });
});

test('closing settles, signs what has grown, and frees the directory for the next', async () => {
  const store = { directory: join(dir.path, 'closing') };
  const tenant = newTenant();
  const first = await AuditService.open({ store, logName });
  const submitted = first.submit({ ...from, events: texts(anEvent(tenant)) });
  await Promise.all([first.close(), first.close()]);
  expect(await submitted).toMatchObject([{ status: 'chained' }]);
  await expect(first.submit({ ...from, events: texts(anEvent(tenant)) })).rejects.toMatchObject({
    code: 'CLOSING',
  });
  const second = await AuditService.open({ store, logName });
  expect(await second.logs.latestCheckpoint(tenant)).toMatchObject({ size: 2 });
  expect(second.logs.stopped.size).toBe(0);
  await expectSoundChain(second.database, tenant);
  await second.close();
});
