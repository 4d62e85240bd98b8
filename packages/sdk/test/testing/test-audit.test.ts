import { core } from '@tallystick/event';
import { expect, test } from 'vitest';
import { assertEmitted, assertNotEmitted, auditMatchers, createTestAudit } from '../../src/testing/index.ts';
import { someEvent } from '../support/events.ts';

expect.extend(auditMatchers);
declare module 'vitest' {
  interface Matchers<R extends void | Promise<void> = void | Promise<void>, T = unknown> {
    toHaveEmitted(this: Matchers<R, T>, pattern: object): R;
  }
}

test('contains events immediately, in their wire form', async () => {
  const audit = createTestAudit();
  audit.emitter.emit(someEvent({ context: { list: [1, { a: 2, b: 3 }] } }));
  await audit.emitter.record(someEvent({ eventType: 'order.shipped' }));
  expect(audit).toHaveEmitted({ tenant_id: 'acme', context: { list: [1, { a: 2 }] } });
  expect(audit).toHaveEmitted({ event_type: expect.stringContaining('shipped') });
  expect(audit).not.toHaveEmitted({ context: { list: [1] } });
  expect(assertEmitted(audit, { event_type: /^order\.ship/ }).event_type).toBe('order.shipped');
  assertNotEmitted(audit, { event_type: 'order.lost' });
  audit.clear();
  assertNotEmitted(audit);
});

test('a failing assertion shows what was emitted', () => {
  const audit = createTestAudit();
  audit.emitter.emit(someEvent());
  expect(() => assertEmitted(audit, { event_type: 'order.lost' })).toThrow(
    /"order\.lost"[\s\S]*"order\.refunded"/,
  );
  expect(() => assertNotEmitted(audit, { tenant_id: 'acme' })).toThrow('not to have emitted');
  expect(() => expect(audit).toHaveEmitted({ tenant_id: 'x' })).toThrow('to have emitted');
});

test('checks events as every emitter does', () => {
  const audit = createTestAudit({ taxonomy: core });
  // @ts-expect-error no such type
  expect(() => audit.emitter.emit(someEvent())).toThrow('not in the taxonomy');
});

// The list showed the event before redaction, so that a test of an application could not find that a secret would be sent.
test('events are shown as they would be sent, without secrets', async () => {
  const event = someEvent({ context: { password: 'hunter2', user: 'bob' } });
  const audit = createTestAudit();
  audit.emitter.emit(event);
  expect(audit.events[0]?.context).toEqual({ password: '[REDACTED]', user: 'bob' });
  await audit.emitter.flush();
  expect(audit.transport.events).toEqual(audit.events);

  const allowed = createTestAudit({ redaction: { allowNames: ['password'] } });
  allowed.emitter.emit(event);
  const off = createTestAudit({ redaction: false });
  off.emitter.emit(event);
  expect([allowed.events[0]?.context, off.events[0]?.context]).toEqual([event.context, event.context]);
});
