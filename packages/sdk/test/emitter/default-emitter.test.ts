import { afterEach, expect, test } from 'vitest';
import {
  audit,
  createAuditEmitter,
  emitAuditEvent,
  getAuditEmitter,
  setAuditEmitter,
} from '../../src/index.ts';
import { createTestAudit } from '../../src/testing/index.ts';

afterEach(() => {
  setAuditEmitter(undefined);
});

test('the functions for the default emitter use the one that a test has set', async () => {
  const test = createTestAudit();
  setAuditEmitter(test.emitter);

  await emitAuditEvent({
    clientId: 'client-123',
    actionType: 'content.publish',
    actorType: 'agent',
    actorId: 'test-agent',
    targetType: 'post',
    targetId: 'post-456',
    outcome: 'success',
    proof: { type: 'api_response', data: { postId: 'ig_789' } },
  });
  await audit()
    .forClient('client-123')
    .action('content.create')
    .actor('agent', 'copy-agent')
    .target('asset', 'asset-789')
    .succeeded()
    .withApiProof({ assetId: 'asset-789' })
    .emitBuilt();

  expect(test.events.map((event) => event.event_type)).toEqual(['content.publish', 'content.create']);
});

test('is created once, on first use, and can be replaced and restored', () => {
  const first = getAuditEmitter();
  expect(getAuditEmitter()).toBe(first);
  const other = createTestAudit().emitter;
  expect(setAuditEmitter(other)).toBe(first);
  expect(getAuditEmitter()).toBe(other);
});

test('a programming error rejects, as it does from an async function', async () => {
  setAuditEmitter(createTestAudit().emitter);
  await expect(emitAuditEvent({} as never)).rejects.toThrow('is required');
});

test('without a transport, events are refused, counted and reported', async () => {
  const warnings: string[] = [];
  const listen = (warning: Error) => warnings.push(warning.message);
  process.on('warning', listen);
  const emitter = getAuditEmitter();
  emitter.emit({ clientId: 'acme', actionType: 'a.b', actorType: 'user', actorId: 'u' });
  expect(await emitter.flush()).toMatchObject({ emitted: 1, delivered: 0, rejected: 1 });
  // Process warnings are emitted on the next tick.
  await new Promise((resolve) => setImmediate(resolve));
  process.off('warning', listen);
  expect(warnings).toEqual([expect.stringContaining('TALLYSTICK_URL')]);
  const codes: string[] = [];
  const withHandler = createAuditEmitter({ onError: ({ code }) => codes.push(code) });
  const event = { tenantId: 'acme', eventType: 'a.b', actorType: 'user', actorId: 'u' } as const;
  await expect(withHandler.record(event)).rejects.toMatchObject({
    code: 'NOT_CONFIGURED',
    outcome: 'rejected',
  });
  expect(codes).toEqual(['NOT_CONFIGURED']);
});
