import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { EventEncoder } from '../../src/event/encode.ts';
import type { EncodedEvent } from '../../src/event/encoded-event.ts';
import type { AuditEventInput } from '../../src/index.ts';
import { someEvent } from '../support/events.ts';

const encoder = () =>
  new EventEncoder({ service: 's', now: () => 1_772_366_400_000, activeTrace: () => undefined });

// In V8, a substring keeps the whole text in memory. Ten thousand waiting events, each with an identifier from its request's body,
// kept ten thousand bodies in memory, and the buffer's limit did not count them.
test('a waiting event does not keep the text that its identifiers were cut from', () => {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  const half = 'x'.repeat(500_000);
  const waiting: EncodedEvent[] = [];
  const long = encoder();
  const emit = (count: number) => {
    const body = `${half} tenant-number-${count} an-identifier-with-number-${count} ${half}`;
    const [, tenantId, id] = / (\S+) (\S+) /.exec(body) as unknown as [string, string, string];
    const names = { actorId: id, targetId: id, correlationId: id, namespace: id, entityIds: [id] };
    waiting.push(long.encode(someEvent({ tenantId, ...names, context: { id } })));
  };
  emit(0);
  collect();
  const before = process.memoryUsage().heapUsed;
  for (let count = 1; count <= 100; count++) emit(count);
  collect();
  // A hundred bodies are 100 MB.
  expect(process.memoryUsage().heapUsed - before).toBeLessThan(10_000_000);
  expect(JSON.parse(waiting[100]!.text)).toMatchObject({
    tenant_id: 'tenant-number-100',
    actor_id: 'an-identifier-with-number-100',
  });
});

const name = fc.string({ minLength: 1, maxLength: 40 });

test('its length is known before its text is written, except for characters that JSON escapes in identifiers', () => {
  const event = fc.record(
    {
      actorPermissions: fc.array(name),
      ...{ alertId: name, cluster: name, correlationId: name, eventAction: name, eventCategory: name },
      ...{ investigationId: name, namespace: name, parentEventId: name, spanId: name, traceId: name },
      ...{ targetId: name, targetType: name, entityIds: fc.array(name) },
      context: fc.object(),
      isSensitive: fc.boolean(),
      retentionDays: fc.integer({ min: 1, max: 36_500 }),
      severity: fc.constantFrom('info', 'warning'),
      timestamp: fc.constantFrom('2026-02-21T12:00:00Z', '2026-02-21T12:00:00.123456Z'),
    },
    { requiredKeys: [] },
  );
  fc.assert(
    fc.property(event, (over) => {
      const encoded = encoder().encode(someEvent(over as Partial<AuditEventInput>));
      expect(encoded.violations).toEqual([]);
      const names = Object.values(JSON.parse(encoded.text)).filter((value) => typeof value === 'string');
      const escapes = names.reduce((sum, text) => sum + JSON.stringify(text).length - text.length - 2, 0);
      expect(encoded.text.length).toBe(encoded.bytes + escapes);
    }),
  );
});

test('the timestamp is the time of emission, although the text is written later', () => {
  let now = 1_772_366_400_007;
  const late = new EventEncoder({ service: 's', now: () => now, activeTrace: () => undefined });
  const first = late.encode(someEvent());
  now += 61_000;
  const second = late.encode(someEvent());
  expect(JSON.parse(second.text).timestamp).toBe('2026-03-01T12:01:01.007Z');
  expect(JSON.parse(first.text).timestamp).toBe('2026-03-01T12:00:00.007Z');
});
