import { ManualClock } from '@tallystick/testing';
import { beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { ApiKeys } from '../../src/access/api-keys.ts';
import { type Database, writer } from '../../src/store/database.ts';
import { apiKeys, keyBook } from '../keys.ts';
import { onEachStore } from '../stores.ts';

const unauthenticated = { code: 'UNAUTHENTICATED', message: 'a valid API key is needed' };

onEachStore((store) => {
  let clock: ManualClock;
  let keys: ApiKeys;
  beforeEach(() => {
    clock = new ManualClock(Date.now());
    keys = apiKeys(store().database, () => clock.now());
  });
  const create = (more: Partial<Parameters<ApiKeys['create']>[0]> = {}) =>
    keys.create({ name: 'ci', scopes: ['events:write'], ...more });

  describe('a key', () => {
    test('gives its scopes and tenants', async () => {
      const limited = await create({ scopes: ['events:read', 'log:read'], tenants: ['a', 'b@c:d'] });
      expect(limited.key).toMatch(/^tally_[0-9a-f]{12}_[0-9a-f]{64}$/);
      expect(await keys.authenticate(limited.key)).toEqual({
        id: `key:${limited.id}`,
        scopes: ['events:read', 'log:read'],
        tenants: ['a', 'b@c:d'],
      });
      const wide = await create({ scopes: ['admin'] });
      expect((await keys.authenticate(wide.key)).tenants).toBeUndefined();
    });

    test('is not in the store: only the hash of its secret is', async () => {
      const { key } = await create({ name: 'secretive' });
      const secret = key.split('_')[2]!;
      const rows = await store().asOwner(`select k::text as row from audit_api_keys k`);
      expect(JSON.stringify(rows)).not.toContain(secret);
      expect(JSON.stringify(await keys.list())).not.toContain(secret);
    });

    test('is listed with what is known of it', async () => {
      const expiresAt = new Date(clock.now() + 1_000);
      const { id } = await create({ name: 'listed', tenants: ['a'], expiresAt });
      await keys.revoke(id);
      expect((await keys.list()).find((info) => info.id === id)).toEqual({
        id,
        name: 'listed',
        scopes: ['events:write'],
        tenants: ['a'],
        created_at: expect.stringMatching(/^\d{4}-.*Z$/),
        expires_at: expiresAt.toISOString(),
        revoked_at: expect.stringMatching(/^\d{4}-.*Z$/),
      });
    });
  });

  // The record of the key became a dead letter, and the store answered "no record audit.key_created of the service in the chain".
  test('a service whose clock is hours ahead of the store says so instead of making a key, and still revokes', async () => {
    const before = await create();
    clock.advance(3 * 60 * 60_000);
    await expect(create()).rejects.toMatchObject({
      code: 'CLOCK_BEHIND_CHAIN',
      message: expect.stringContaining('the clock of the service is hours ahead'),
      details: { tenant_ids: ['tallystick'], service_clock: new Date(clock.now()).toISOString() },
    });
    await keys.revoke(before.id);
    await expect(keys.authenticate(before.key)).rejects.toMatchObject(unauthenticated);
    clock = new ManualClock(Date.now());
    const { key, id } = await create();
    expect(await keys.authenticate(key)).toMatchObject({ id: `key:${id}` });
  });

  describe('is refused with one and the same message', () => {
    let good: string;
    beforeAll(async () => {
      good = (
        await apiKeys(store().database).create({
          name: 'x',
          scopes: ['admin'],
        })
      ).key;
    });

    test.each([
      ['nothing', () => ''],
      ['another word', () => 'Bearer'],
      ['the id alone', () => good.slice(0, 18)],
      ['a secret cut short', () => good.slice(0, -1)],
      ['a secret with more behind it', () => `${good}0`],
      ['a line break behind it', () => `${good}\n`],
      ['upper case', () => good.toUpperCase()],
      ['a wrong last digit', () => good.slice(0, -1) + (good.endsWith('0') ? '1' : '0')],
      [
        'a wrong first digit',
        () => good.replace(/_(.)([0-9a-f]{63})$/, (_, d, r) => `_${d === '0' ? 1 : 0}${r}`),
      ],
      ['an unknown id', () => good.replace(/_[0-9a-f]{12}_/, '_ffffffffffff_')],
      ['SQL', () => `tally_' or '1'='1_${'0'.repeat(64)}`],
      ['a secret of another key', () => good.replace(/[0-9a-f]{64}$/, '0'.repeat(64))],
      ['a megabyte', () => 'tally_'.repeat(200_000)],
    ])('%s', async (_, key) => {
      await expect(keys.authenticate(key())).rejects.toMatchObject(unauthenticated);
      // The second call must not find the key in the cache either.
      await expect(keys.authenticate(key())).rejects.toMatchObject(unauthenticated);
    });
  });

  test('it expires to the millisecond, whatever is remembered of it', async () => {
    const { key } = await create({ expiresAt: new Date(clock.now() + 2_000) });
    await keys.authenticate(key);
    clock.advance(1_999);
    await keys.authenticate(key);
    clock.advance(1);
    await expect(keys.authenticate(key)).rejects.toMatchObject(unauthenticated);
  });

  describe('once revoked', () => {
    test('it stops working here at once, and elsewhere within five seconds', async () => {
      const elsewhere = apiKeys(store().database, () => clock.now());
      const { key, id } = await create();
      await keys.authenticate(key);
      await elsewhere.authenticate(key);
      await keys.revoke(id);
      await expect(keys.authenticate(key)).rejects.toMatchObject(unauthenticated);
      await elsewhere.authenticate(key);
      clock.advance(5_000);
      await expect(elsewhere.authenticate(key)).rejects.toMatchObject(unauthenticated);
    });

    // A look-up that began before the revocation once put the key back into the cache after it.
    test('it is not remembered by a look-up that was under way', async () => {
      const { key, id } = await create();
      const row = store().database;
      let answer!: () => void;
      const held = new Promise<void>((resolve) => {
        answer = resolve;
      });
      const slowDatabase = {
        ...row,
        kind: row.kind,
        query: async (...asked: Parameters<typeof row.query>) => {
          const rows = await row.query(...asked);
          if (asked[1].startsWith('select secret_hash')) await held;
          return rows;
        },
      } as typeof row;
      const slow = new ApiKeys(slowDatabase, keyBook(row), () => clock.now());
      const underWay = slow.authenticate(key);
      // The store has answered, the process has not read it yet.
      await row.query(writer, 'select 1');
      await slow.revoke(id);
      answer();
      await underWay.catch(() => undefined);
      await expect(slow.authenticate(key)).rejects.toMatchObject(unauthenticated);
    });

    test('the time of the first revocation stays; an unknown key is not found', async () => {
      const { id } = await create();
      await keys.revoke(id);
      const at = async () => (await keys.list()).find((info) => info.id === id)?.revoked_at;
      const first = await at();
      await keys.revoke(id);
      expect(await at()).toBe(first);
      await expect(keys.revoke('ffffffffffff')).rejects.toMatchObject({ code: 'NOT_FOUND' });
    });
  });

  test('what is remembered is bounded', async () => {
    const { key } = await create();
    let asked = 0;
    const { database } = store();
    const row = await database.query(
      writer,
      'select secret_hash, scopes, tenants, expires_at from audit_api_keys where id = $1',
      [key.slice(6, 18)],
    );
    const counting: Database = {
      kind: database.kind,
      transaction: () => Promise.reject(new Error('reading a key needs no transaction')),
      read: () => Promise.reject(new Error('reading a key needs no pipeline')),
      query: async () => {
        asked++;
        return row as never;
      },
      close: async () => undefined,
    };
    const remembering = new ApiKeys(counting, keyBook(counting), () => clock.now());
    await remembering.authenticate(key);
    await remembering.authenticate(key);
    expect(asked).toBe(1);
    // Fills the cache with other keys of the same secret. Then the first key is no longer cached, and is looked up again.
    for (let other = 0; other < 10_000; other++) {
      await remembering.authenticate(`tally_${other.toString(16).padStart(12, '0')}_${key.slice(-64)}`);
    }
    const before = asked;
    await remembering.authenticate(key);
    expect(asked).toBe(before + 1);
  });

  describe('is not made', () => {
    test.each([
      ['without a name', { name: ' ' }],
      ['with a name too long', { name: 'x'.repeat(201) }],
      ['with a name that the store can not hold', { name: 'a\0b' }],
      ['without a scope', { scopes: [] }],
      ['with an unknown scope', { scopes: ['events:erase' as never] }],
      ['for no tenant at all', { tenants: [] }],
      ['for two tenants in one name', { tenants: ['a,b'] }],
      ['for a tenant with a wildcard', { tenants: ['*'] }],
      ['with an invalid time', { expiresAt: new Date(Number.NaN) }],
    ])('%s', async (_, more) => {
      await expect(create(more)).rejects.toMatchObject({ code: 'PARAMETER_INVALID' });
    });
  });
});
