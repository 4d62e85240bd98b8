import { soc } from '@tallystick/event';
import { describe, expect, test } from 'vitest';
import { createAuditEmitter } from '../../src/index.ts';
import { MemoryTransport } from '../../src/transport/memory.ts';
import { testEmitter } from '../support/emitter.ts';

test('builds an event; each step returns a new object', async () => {
  const { emitter, transport } = testEmitter();
  const result = emitter
    .forClient('client-123')
    .action('content.publish')
    .actor('agent', 'publisher-agent')
    .target('post', 'post-123')
    .failed('PLATFORM_ERROR', 'Rate limit exceeded')
    .withApiProof({ postId: 'ig_789' })
    .withMetadata({ platform: 'ig' })
    .withMetadata({ durationMs: 3 })
    .withCorrelation('c-1')
    .childOf('parent-1')
    .emitBuilt();
  await emitter.flush();
  expect(transport.events).toMatchObject([
    {
      audit_id: result.id,
      tenant_id: 'client-123',
      event_type: 'content.publish',
      actor_type: 'agent',
      actor_id: 'publisher-agent',
      target_type: 'post',
      target_id: 'post-123',
      outcome: {
        outcome_status: 'failure',
        error_code: 'PLATFORM_ERROR',
        error_message: 'Rate limit exceeded',
      },
      proof: { type: 'api_response', data: { postId: 'ig_789' } },
      metadata: { platform: 'ig', duration_ms: 3 },
      correlation_id: 'c-1',
      parent_id: 'parent-1',
    },
  ]);
});

// If the emitter kept the unfinished event, two concurrent requests would write into each other's event.
test('two events that are built at the same time do not mix, and may share their first steps', async () => {
  const { emitter, transport } = testEmitter();
  const common = emitter.for('acme').actor('agent', 'a').action('tool.called');
  const one = common.target('tool', 'one');
  const two = common.target('tool', 'two').withMetadata({ only: 'two' });
  one.succeeded().emit();
  two.partial().emit();
  one.pending().emit();
  await emitter.flush();
  expect(transport.events.map((e) => [e.target_id, e.outcome?.outcome_status, e.metadata?.only])).toEqual([
    ['one', 'success', undefined],
    ['two', 'partial', 'two'],
    ['one', 'pending', undefined],
  ]);
});

describe('an incomplete event', () => {
  const { emitter } = testEmitter();
  test('has no emit() for the compiler', () => {
    const incomplete = emitter.for('acme').action('a.b').actor('user', 'u').succeeded();
    // @ts-expect-error the target is missing
    expect(() => incomplete.emit()).toThrow('targetType is required');
  });

  test.each([
    [
      'clientId',
      (e: typeof emitter) => e.for('').action('a.b').actor('user', 'u').target('t', '1').succeeded().emit(),
    ],
    [
      'actionType',
      (e: typeof emitter) => e.for('acme').action('').actor('user', 'u').target('t', '1').succeeded().emit(),
    ],
    [
      'actorId',
      (e: typeof emitter) =>
        e.for('acme').action('a.b').actor('user', '').target('t', '1').succeeded().emit(),
    ],
    [
      'targetId',
      (e: typeof emitter) =>
        e.for('acme').action('a.b').actor('user', 'u').target('t', '').succeeded().emit(),
    ],
  ])('%s is required', (field, build) => {
    expect(() => build(emitter)).toThrow(`${field} is required`);
  });
});

test('with a taxonomy, a wrong type or payload does not compile', async () => {
  const transport = new MemoryTransport();
  const emitter = createAuditEmitter({
    service: 's',
    transport,
    taxonomy: soc,
    tenantId: 'acme',
    flushOnExit: false,
  });
  const who = { actorType: 'agent', actorId: 'r' } as const;

  emitter.emit('alert.classified', {
    ...who,
    decision: { confidence: 0.9 },
    context: { llm_model_id: 'm', more: 1 },
  });
  emitter.emit({ eventType: 'alert.escalated', ...who, outcome: 'success' });
  emitter.emit({
    actionType: 'alert.escalated',
    ...who,
    outcome: { outcome_status: 'success', action_taken: 'x' },
  });
  emitter
    .for('acme')
    .action('response.executed')
    .with({ decision: { confidence: 1 } })
    .actor('agent', 'r')
    .target('host', 'h')
    .succeeded()
    .emit();

  // @ts-expect-error no such type
  expect(() => emitter.emit('alert.clasified', who)).toThrow('not in the taxonomy soc');
  // @ts-expect-error no such type
  expect(() => emitter.emit({ eventType: 'alert.clasified', ...who })).toThrow('not in the taxonomy soc');
  // @ts-expect-error confidence is a number
  expect(() => emitter.emit('alert.classified', { ...who, decision: { confidence: 'high' } })).toThrow(
    'FIELD_TYPE',
  );
  const wrong = { eventType: 'alert.classified', ...who, decision: { confidence: 'high' } } as const;
  // @ts-expect-error confidence is a number
  expect(() => emitter.emit(wrong)).toThrow('FIELD_TYPE');
  // @ts-expect-error no such type
  expect(() => emitter.for('acme').action('alert.clasified')).not.toThrow();

  await emitter.close();
  expect(transport.events.map((event) => [event.event_type, event.event_category])).toEqual([
    ['alert.classified', 'decision'],
    ['alert.escalated', 'decision'],
    ['alert.escalated', 'decision'],
    ['response.executed', 'action'],
  ]);
});
