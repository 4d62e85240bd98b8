import { agent, combineTaxonomies, soc, uuidv7Time } from '@tallystick/event';
import { afterEach, describe, expect, test } from 'vitest';
import { createGate } from '../../src/gate/index.ts';
import { createAuditEmitter, systemClock } from '../../src/index.ts';
import { memoryTransport } from '../../src/transport/memory.ts';
import { allow, closeGates, closers, failure, open, refund, types } from './open-gate.ts';

afterEach(closeGates);

/**
 * A gate made the ids of its decision and its end by the machine's clock. An emitter whose clock is more than an hour behind refused them, and
 * the trail had an intent without an end.
 */
test('the ids of all records are of the time by which the emitter works', async () => {
  const transport = memoryTransport();
  const now = Date.parse('2026-03-01T12:00:00Z');
  const clock = { now: () => now, schedule: systemClock.schedule };
  const audit = createAuditEmitter({
    service: 'refunds',
    tenantId: 'acme',
    transport,
    clock,
    flushOnExit: false,
  });
  closers.push(() => audit.close());
  const actor = { actorType: 'agent', actorId: 'refund-bot' } as const;
  const gate = createGate({ audit, clock, policy: allow, tenantId: 'acme', actor });
  await gate.run(refund, () => 'done');
  await audit.flush();
  expect(types(transport.events)).toEqual([
    'agent.action.intended',
    'agent.action.decided',
    'agent.action.completed',
  ]);
  expect(transport.events.map(({ audit_id }) => uuidv7Time(audit_id))).toEqual([now, now, now]);
});

describe('an allowed action', () => {
  test('is recorded before its effect, and the effect afterwards', async () => {
    const { gate, transport, records } = open();
    const result = await gate.run(refund, ({ amount }, execution) => {
      expect(types(transport.events)).toEqual(['agent.action.intended', 'agent.action.decided']);
      expect(execution.intentId).toBe(transport.events[0]!.audit_id);
      execution.cost(0.02);
      return { refunded: amount };
    });
    expect(result).toEqual({ refunded: 40 });
    const [intended, decided, completed] = await records();
    expect(
      transport.batches.filter((batch) => batch.events.length > 0).map((batch) => batch.events.length),
    ).toEqual([2, 1]);
    expect(intended).toMatchObject({
      event_type: 'agent.action.intended',
      tenant_id: 'acme',
      actor_type: 'agent',
      actor_id: 'refund-bot',
      on_behalf_of: [{ actor_type: 'user', actor_id: 'maria' }],
      target_type: 'order',
      target_id: 'o-1',
      context: { action: 'refund', arguments: { amount: 40 } },
      outcome: { outcome_status: 'pending' },
    });
    expect(decided).toMatchObject({
      event_type: 'agent.action.decided',
      parent_id: intended!.audit_id,
      decision: {
        effect: 'allow',
        rule: 'small',
        policy: { name: 'refunds', version: '7', digest: allow.digest },
      },
    });
    expect(completed).toMatchObject({
      event_type: 'agent.action.completed',
      parent_id: intended!.audit_id,
      outcome: {
        outcome_status: 'success',
        cost_usd: 0.02,
        result_digest: expect.stringMatching(/^sha256:/),
      },
    });
    const digests = [intended, decided, completed].map((event) => event!.context!.document_digest);
    expect(new Set(digests).size).toBe(1);
  });

  // The records of a gate named no trace and no alert, so a filter for either left out who approved the action and how it ended.
  test('belongs with all of its records to the trace, the alert and the investigation of its caller', async () => {
    const { gate, records } = open();
    const ids = {
      correlationId: 'c-1',
      traceId: '0af7651916cd43dd8448eb211c80319c',
      spanId: 'b7ad6b7169203331',
      alertId: 'alert-1',
      investigationId: 'inv-1',
    };
    await gate.run({ ...refund, ...ids }, () => ({}));
    const events = await records();
    expect(types(events)).toEqual([
      'agent.action.intended',
      'agent.action.decided',
      'agent.action.completed',
    ]);
    for (const event of events) {
      expect(event).toMatchObject({
        correlation_id: 'c-1',
        trace_id: ids.traceId,
        span_id: ids.spanId,
        alert_id: 'alert-1',
        investigation_id: 'inv-1',
      });
    }
  });

  test('whose effect throws is recorded as failed, without the error message', async () => {
    const { gate, records } = open();
    const thrown = new RangeError('card 4111111111111111 was refused');
    await expect(gate.run(refund, () => Promise.reject(thrown))).rejects.toBe(thrown);
    const completed = (await records()).at(-1)!;
    expect(completed).toMatchObject({ outcome: { outcome_status: 'failure', error_code: 'RangeError' } });
    expect(JSON.stringify(completed)).not.toContain('4111111111111111');
  });

  test('waits for nothing after its effect', async () => {
    let hang = false;
    const transport = memoryTransport({
      intercept: () => (hang ? new Promise<never>(() => undefined) : undefined),
    });
    const { gate } = open({}, transport);
    const result = await gate.run(refund, () => {
      hang = true;
      return 'done';
    });
    expect(result).toBe('done');
  });

  test('its records fit the taxonomy agent; an emitter of another taxonomy is a mistake that is named', async () => {
    const transport = memoryTransport();
    const audit = createAuditEmitter({ service: 's', transport, taxonomy: agent, flushOnExit: false });
    closers.push(() => audit.close());
    await open({ audit }).gate.run({ ...refund, reason: 'late parcel', failOpen: true }, () => 1);
    await audit.flush();
    expect(transport.events).toHaveLength(3);

    const triage = combineTaxonomies(soc, agent);
    const shared = createAuditEmitter({ service: 's', transport, taxonomy: triage, flushOnExit: false });
    closers.push(() => shared.close());
    await open({ audit: shared }).gate.run(refund, () => 1);
    shared.emit('alert.classified', { tenantId: 'acme', actorType: 'agent', actorId: 'triage' });
    await shared.flush();
    expect(transport.events).toHaveLength(7);

    const other = createAuditEmitter({ service: 's', transport, taxonomy: soc, flushOnExit: false });
    closers.push(() => other.close());
    const error = await failure(open({ audit: other }).gate.run({ ...refund, failOpen: true }, () => 1));
    expect(error).toMatchObject({ code: 'CONFIG_INVALID' });
  });
});

test('a thousand parallel calls of one tool each have their own intent, decision and end', async () => {
  const { gate, records } = open({ acknowledgeWithinMs: 60_000 });
  const refundTool = gate.wrap('refund', async ({ amount }: { amount: number }) => amount);
  const results = await Promise.all(Array.from({ length: 1_000 }, (_, amount) => refundTool({ amount })));
  expect(results).toEqual(Array.from({ length: 1_000 }, (_, amount) => amount));
  const events = await records();
  expect(events).toHaveLength(3_000);
  const ends = events.filter(({ event_type }) => event_type === 'agent.action.completed');
  expect(new Set(ends.map(({ parent_id }) => parent_id)).size).toBe(1_000);
});

test('wrap passes further arguments on, and describes each call', async () => {
  const { gate, records } = open();
  const tool = gate.wrap(
    'refund',
    (args: { order: string }, options: { user: string }) => `${args.order} ${options.user}`,
    (args, options) => ({
      target: { type: 'order', id: args.order },
      onBehalfOf: [{ actorType: 'user', actorId: options.user }],
    }),
  );
  expect(await tool({ order: 'o-9' }, { user: 'tom' })).toBe('o-9 tom');
  expect((await records())[0]).toMatchObject({ target_id: 'o-9', on_behalf_of: [{ actor_id: 'tom' }] });
});

test('a caller that gave up before the decision was chained gets no effect', async () => {
  const { gate } = open();
  const signal = AbortSignal.abort(new Error('gone'));
  await expect(gate.run({ ...refund, signal }, () => 'ran')).rejects.toMatchObject({ code: 'ABORTED' });
});
