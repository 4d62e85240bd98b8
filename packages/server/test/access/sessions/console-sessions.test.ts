import { tempDir } from '@tallystick/testing';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { KeyWatch } from '../../../src/access/key-watch.ts';
import { assertStillValid } from '../../../src/access/still-valid.ts';
import { AuditService } from '../../../src/app.ts';
import { chainStopped } from '../../../src/errors.ts';
import { writer } from '../../../src/store/database.ts';
import { logName } from '../../events.ts';
import { openPostgres } from '../../stores.ts';

let one: AuditService;
let two: AuditService;
/** A third replica. The clock of its machine is three hours ahead of the database's. */
let ahead: AuditService;
let close: () => Promise<void>;

beforeAll(async () => {
  const dir = tempDir();
  const store = await openPostgres();
  const settings = {
    logName,
    checkpointIntervalMs: 0,
    followers: false,
    store: { databaseUrl: store.serviceUrl },
  } as const;
  one = await AuditService.open({ ...settings, signerDirectory: dir.path });
  two = await AuditService.open({ ...settings, signerDirectory: dir.path });
  const now = () => Date.now() + 3 * 60 * 60_000;
  ahead = await AuditService.open({ ...settings, signerDirectory: dir.path, now });
  close = async () => {
    await ahead.close();
    await one.close();
    await two.close();
    await store.close();
    dir.remove();
  };
});
afterAll(() => close?.());

async function signIn(service: AuditService) {
  const { key, id } = await one.keys.create({ name: 'replicas', scopes: ['admin'], subject: 'maria' });
  const principal = await service.keys.authenticate(key);
  return { id, secret: await service.sessions.open(principal, { method: 'key', address: undefined }) };
}

test('a session that one replica opened works on the other, and a sign-out on one ends it on both', async () => {
  const { secret } = await signIn(one);
  const session = (await two.sessions.find(secret))!;
  expect(session).toMatchObject({ name: 'replicas', principal: { subject: 'maria', scopes: ['admin'] } });
  const ended = vi.fn();
  new KeyWatch(one.database, Date.now, 5).watch(session.principal, ended);
  await two.sessions.end(session, undefined);
  expect(await one.sessions.find(secret)).toBeUndefined();
  await vi.waitFor(() => expect(ended).toHaveBeenCalledOnce());
  await expect(
    one.database.transaction(writer, (queries) => assertStillValid(queries, session.principal)),
  ).rejects.toMatchObject({ code: 'UNAUTHENTICATED' });
});

test('a login of the database can not give a session the rights of another key, or more time', async () => {
  const strong = await one.keys.create({ name: 'strong', scopes: ['admin'] });
  const changes = [
    `key_id = '${strong.id}'`,
    "expires_at = expires_at + interval '1 day'",
    "expires_at = 'infinity'",
    "mac = '\\x00'",
  ];
  for (const change of changes) {
    const { secret } = await signIn(one);
    const session = (await one.sessions.find(secret))!;
    await one.database.query(writer, `update audit_console_sessions set ${change} where id = $1`, [
      session.id,
    ]);
    expect(await one.sessions.find(secret)).toBeUndefined();
  }
});

test('a key that one replica revoked ends its sessions on the other at once', async () => {
  const { id, secret } = await signIn(two);
  await one.keys.revoke(id);
  expect(await two.sessions.find(secret)).toBeUndefined();
});

test('a key that was revoked while it signed in opens no session', async () => {
  const { key, id } = await one.keys.create({ name: 'gone', scopes: ['admin'] });
  const principal = await two.keys.authenticate(key);
  await one.keys.revoke(id);
  await expect(two.sessions.open(principal, { method: 'key', address: undefined })).rejects.toMatchObject({
    code: 'UNAUTHENTICATED',
  });
});

test('a chain that takes no record does not keep a person out', async () => {
  const { key } = await one.keys.create({ name: 'investigator', scopes: ['admin'] });
  const principal = await one.keys.authenticate(key);
  vi.spyOn(one, 'appendRanges').mockRejectedValue(chainStopped('tallystick', 'a test'));
  try {
    const secret = await one.sessions.open(principal, { method: 'key', address: undefined });
    expect(await one.sessions.find(secret)).toBeDefined();
  } finally {
    vi.restoreAllMocks();
  }
});

test('a replica whose clock is hours ahead signs people in and out, and makes no key', async () => {
  const { key } = await one.keys.create({ name: 'operator', scopes: ['admin'] });
  const principal = await ahead.keys.authenticate(key);
  const secret = await ahead.sessions.open(principal, { method: 'key', address: undefined });
  const session = (await ahead.sessions.find(secret))!;
  expect(session).toMatchObject({ name: 'operator' });
  await ahead.sessions.refuse('key', undefined);
  await ahead.sessions.end(session, undefined);
  expect(await ahead.sessions.find(secret)).toBeUndefined();
  await expect(ahead.keys.create({ name: 'later', scopes: ['admin'] })).rejects.toMatchObject({
    code: 'CLOCK_BEHIND_CHAIN',
    message: expect.stringContaining('correct the clocks'),
  });
});
