import { randomUUID } from 'node:crypto';
import { expect, test } from 'vitest';
import { IdempotencyKeys, type KeyedRequest } from '../../src/ingest/idempotency-keys.ts';
import { onEachStore, type TestStore } from '../stores.ts';

const text = (members: object) => Buffer.from(JSON.stringify(members));
const five = (tenant_id = 'acme') =>
  text({ tenant_id, event_type: 'a.b', actor_type: 'user', actor_id: 'u', source_service: 's' });
const requestOf = (body: Uint8Array, more: Partial<KeyedRequest> = {}): KeyedRequest => ({
  key: randomUUID(),
  principal: 'key:0123456789ab',
  tenants: undefined,
  body,
  ...more,
});
const read = (bytes: Uint8Array) => JSON.parse(Buffer.from(bytes).toString());
const countOf = async (store: TestStore) =>
  (
    await store.asOwner<{ count: number }>('select count(*)::integer as count from audit_idempotency_keys')
  )[0]!.count;

onEachStore((store) => {
  const keysAt = (now = Date.now()) => new IdempotencyKeys(store().connect(), () => now);

  test('two replicas that get the same request at once fill in the same values', async () => {
    const body = five();
    const request = requestOf(body);
    const events = Array.from({ length: 20 }, () => body);
    const answers = await Promise.all(
      [1, 2, 3, 4].map((at) => keysAt(Date.now() + at * 1_000).complete(request, events)),
    );
    for (const answer of answers) expect(answer.map(String)).toEqual(answers[0]!.map(String));
    expect(new Set(answers[0]!.map((event) => read(event).audit_id)).size).toBe(20);
  });

  test('the bytes around the filled fields stay, and given fields too', async () => {
    const own = Buffer.from('\n { "tenant_id" : "acme", "timestamp":"2026-01-01T00:00:00Z", "n": 1.0 }');
    const [filled] = await keysAt().complete(requestOf(own), [own]);
    expect(String(filled)).toMatch(
      /^\n \{"audit_id":"[0-9a-f-]{36}", "tenant_id" : "acme", "timestamp":"2026-01-01T00:00:00Z", "n": 1\.0 \}$/,
    );
  });

  test('the same key with another body is refused, and claims nothing', async () => {
    const body = five();
    const request = requestOf(body);
    await keysAt().complete(request, [body]);
    const before = await countOf(store());
    const other = Buffer.concat([body, Buffer.from(' ')]);
    await expect(keysAt().complete({ ...request, body: other }, [other, other])).rejects.toMatchObject({
      code: 'IDEMPOTENCY_KEY_REUSED',
    });
    expect(await countOf(store())).toBe(before);
    // Another principal or tenant with the same key is another request.
    await keysAt().complete({ ...request, principal: 'key:other', body: other }, [other]);
    const next = five('globex');
    await keysAt().complete({ ...request, body: next }, [next]);
  });

  test('events that are refused anyway, or belong to tenants of others, leave no row', async () => {
    const before = await countOf(store());
    const hostile = ['{', '[]', '{}', 'null', '{"tenant_id":"a","tenant_id":"b"}', '{"tenant_id":"../"}'];
    const deep = `{"tenant_id":"acme","a":${'['.repeat(100_000)}`;
    const raw = [...hostile, deep].map((each) => Buffer.from(each));
    expect(await keysAt().complete(requestOf(Buffer.concat(raw)), raw)).toEqual(raw);
    const theirs = five('theirs');
    const [filled] = await keysAt().complete(requestOf(theirs, { tenants: ['acme'] }), [theirs]);
    expect(read(filled!)).toHaveProperty('audit_id');
    expect(await countOf(store())).toBe(before);
  });

  test('a key is used for seven days, and pruned after them', async () => {
    const body = five();
    const request = requestOf(body);
    const [first] = await keysAt().complete(request, [body]);
    const age = async (days: number) =>
      await store().asOwner(
        `update audit_idempotency_keys set created_at = clock_timestamp() - interval '${days} days' where key = $1`,
        [request.key],
      );
    await age(6.9);
    await keysAt().prune();
    expect((await keysAt().complete(request, [body])).map(String)).toEqual([String(first)]);
    await age(7.1);
    const [renewed] = await keysAt().complete({ ...request, body: five('acme') }, [body]);
    expect(read(renewed!).audit_id).not.toBe(read(first!).audit_id);
    await age(7.1);
    const before = await countOf(store());
    await keysAt().prune();
    expect(await countOf(store())).toBe(before - 1);
  });
});
