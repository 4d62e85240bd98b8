import { uuidv7 } from '@tallystick/event';
import { prepareEmbeddedStore, tempDir } from '@tallystick/testing';
import fc from 'fast-check';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { AuditService } from '../../src/app.ts';
import type { PgliteDatabase } from '../../src/store/pglite/pglite.ts';
import { decodePosition, encodePosition } from '../../src/trail/cursor.ts';
import { follow } from '../../src/trail/follow.ts';
import { HeadWatch } from '../../src/trail/tail.ts';
import { Trail } from '../../src/trail/trail.ts';

const directory = tempDir();
let service: AuditService;
let trail: Trail;
const open = { sensitive: true };
beforeAll(async () => {
  await prepareEmbeddedStore(directory.path);
  service = await AuditService.open({
    store: { directory: directory.path },
    logName: 'log.test',
    checkpointIntervalMs: 0,
    // Their queries and timers would be counted.
    followers: false,
  });
  trail = new Trail(service.database);
});
afterAll(async () => {
  await service.close();
  directory.remove();
});

async function submit(tenant_id: string, count: number): Promise<void> {
  const events = Array.from({ length: count }, () =>
    JSON.stringify({
      audit_id: uuidv7(),
      tenant_id,
      timestamp: new Date().toISOString(),
      event_type: 'content.publish',
      actor_type: 'user',
      actor_id: 'ann',
      source_service: 'test',
    }),
  );
  await service.submit({ events, source: 'embedded', trust: 'operator' });
}

/** Does what a recovery does: abandons the current epoch of the chain and begins a new one. */
async function beginEpoch(tenantId: string): Promise<void> {
  await (service.database as PgliteDatabase).asOwner(async (session) => {
    await session.query(
      `update audit_chain_state set epoch = epoch + 1, last_sequence = -1, frontier = '',
              last_hash = decode(repeat('00', 32), 'hex') where tenant_id = $1`,
      [tenantId],
    );
  });
}

describe('a chain of several epochs', () => {
  const places = (events: readonly { readonly [field: string]: unknown }[]) =>
    events.map((one) => `${one.epoch}-${one.sequence_number}`);
  const expected = [
    ...Array.from({ length: 4 }, (_, at) => `1-${at}`),
    ...Array.from({ length: 3 }, (_, at) => `2-${at}`),
    ...Array.from({ length: 2 }, (_, at) => `3-${at}`),
  ];

  beforeAll(async () => {
    await submit('many', 3);
    await beginEpoch('many');
    await submit('many', 2);
    await beginEpoch('many');
    await submit('many', 1);
  });

  it('is listed in order through all of them, whatever the size of the pages', async () => {
    for (const order of ['asc', 'desc'] as const) {
      for (let limit = 1; limit <= 10; limit++) {
        const seen: string[] = [];
        let cursor: string | undefined;
        do {
          const page = await trail.list({ tenantId: 'many', order, limit, cursor }, open);
          expect(page.events.length).toBeLessThanOrEqual(limit);
          seen.push(...places(page.events));
          cursor = page.nextCursor;
        } while (cursor !== undefined);
        expect(seen).toEqual(order === 'asc' ? expected : [...expected].reverse());
      }
    }
  });

  it('is found by sequence, in the current epoch unless another is named', async () => {
    expect(await trail.getBySequence('many', 1, open)).toMatchObject({ epoch: 3, sequence_number: 1 });
    expect(await trail.getBySequence('many', 2, open, 2)).toMatchObject({ epoch: 2 });
    await expect(trail.getBySequence('many', 2, open)).rejects.toMatchObject({ code: 'NOT_FOUND' });
    await expect(trail.getBySequence('nobody', 0, open)).rejects.toMatchObject({ code: 'NOT_FOUND' });
    expect(await trail.head('many')).toMatchObject({
      epoch: 3,
      sequence: 1,
      hash: expect.stringMatching(/^[0-9a-f]{64}$/),
    });
  });

  it('is followed from a given-up epoch into the current one', async () => {
    const stop = new AbortController();
    const heads = new HeadWatch(service.database, 5);
    const seen: string[] = [];
    const after = { epoch: 1, sequence: 1 };
    for await (const { position } of follow(
      trail,
      heads,
      { tenantId: 'many', after, view: open },
      stop.signal,
    )) {
      seen.push(`${position.epoch}-${position.sequence}`);
      if (seen.length === expected.length - 2) stop.abort();
    }
    expect(seen).toEqual(expected.slice(2));
  });
});

describe('cursors', () => {
  it('hold their place, and only for the question that they were made for', () => {
    const position = fc.record({
      epoch: fc.integer({ min: 1, max: 2 ** 31 - 1 }),
      sequence: fc.maxSafeNat(),
    });
    fc.assert(
      fc.property(position, fc.jsonValue(), fc.jsonValue(), (place, question, other) => {
        const cursor = encodePosition([question], place);
        expect(decodePosition(cursor, [question])).toEqual(place);
        if (JSON.stringify(question) === JSON.stringify(other)) return;
        fc.pre(typeof other !== 'object' && typeof question !== 'object');
        expect(() => decodePosition(cursor, [other])).toThrow('other parameters');
      }),
    );
  });

  it('that were made up are refused, and never break anything', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.base64String(),
          fc.json().map((text) => Buffer.from(text).toString('base64url')),
        ),
        (cursor) => {
          expect(() => decodePosition(cursor, [])).toThrow(/the cursor/);
        },
      ),
    );
  });
});

describe('watching heads', () => {
  afterEach(() => void vi.useRealTimers());

  it('queries the store once for any number of followers, and not at all without followers', async () => {
    await submit('watched', 1);
    let queries = 0;
    const counting = new Proxy(service.database, {
      get(target, name) {
        if (name === 'query') queries++;
        const value = Reflect.get(target, name);
        return typeof value === 'function' ? value.bind(target) : value;
      },
    });
    const heads = new HeadWatch(counting, 20);
    const stop = new AbortController();
    const waiting = Array.from({ length: 50 }, () =>
      heads.beyond('watched', { epoch: 1, sequence: 0 }, stop.signal),
    );
    expect(new Set(await Promise.all(waiting))).toHaveLength(1);
    expect(queries).toBe(1);
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    const idle = heads.beyond('watched', { epoch: 1, sequence: 1 }, stop.signal);
    stop.abort();
    expect(await idle).toBeUndefined();
    await vi.advanceTimersByTimeAsync(1_000);
    expect(queries).toBe(1);
    expect(vi.getTimerCount()).toBe(0);
  });
});
