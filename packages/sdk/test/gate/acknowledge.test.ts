import type { AuditEvent } from '@tallystick/event';
import type { ItemResult } from '@tallystick/protocol';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { createMemoryDesk } from '../../src/gate/index.ts';
import { type Batch, createAuditEmitter } from '../../src/index.ts';
import { memoryTransport } from '../../src/transport/memory.ts';
import { ask, closeGates, closers, failure, open, refund, types } from './open-gate.ts';

afterEach(closeGates);

describe('without an acknowledgement', () => {
  const refusing = (answer: () => Promise<never>) => memoryTransport({ intercept: answer });

  test('the effect does not run, and the intent ends as abandoned once the service is back', async () => {
    let away = true;
    const transport = memoryTransport({
      intercept: () => {
        if (away) throw new Error('connection refused');
        return undefined;
      },
    });
    const audit = createAuditEmitter({
      service: 's',
      transport,
      retryDelaysMs: [1],
      probeIntervalMs: 1,
      flushOnExit: false,
    });
    closers.push(() => audit.close());
    const effect = vi.fn();
    const { gate } = open({ audit, acknowledgeWithinMs: 20 });
    expect(await failure(gate.run(refund, effect))).toMatchObject({ code: 'NOT_ACKNOWLEDGED' });
    away = false;
    await audit.flush();
    expect(effect).not.toHaveBeenCalled();
    expect(types(transport.events)).toEqual([
      'agent.action.intended',
      'agent.action.decided',
      'agent.action.abandoned',
    ]);
    expect(transport.events[2]).toMatchObject({ outcome: { error_code: 'NOT_ACKNOWLEDGED' } });
  });

  test('an action that fails open runs, and its intent says so', async () => {
    const { gate, transport } = open(
      { acknowledgeWithinMs: 5 },
      refusing(() => new Promise(() => undefined)),
    );
    const ran = await gate.run({ ...refund, failOpen: true }, (_, { acknowledged }) => acknowledged);
    expect(ran).toBe('none');
    await vi.waitFor(() => expect(transport.batches).not.toHaveLength(0));
    expect(transport.batches[0]!.events[0]).toContain('"fail_open":true');
  });

  test('an action that fails open does not run if the service refused its intent', async () => {
    const refused = { status: 'rejected', error: { code: 'FIELD_UNKNOWN', message: 'no' } } as const;
    const transport = memoryTransport({ intercept: (batch) => batch.events.map(() => refused) });
    const { gate } = open({}, transport);
    const effect = vi.fn();
    expect(await failure(gate.run({ ...refund, failOpen: true }, effect))).toMatchObject({
      code: 'NOT_ACKNOWLEDGED',
    });
    expect(effect).not.toHaveBeenCalled();
  });
});

describe('behind a queue in front of the chain', () => {
  /** A service in Kafka mode: it chains what it is asked to chain. */
  const service = () =>
    memoryTransport({ intercept: (batch) => (batch.chained === true ? undefined : queued(batch)) });
  /** A Kafka topic, or a service that does not know the preference. */
  const topic = () => memoryTransport({ intercept: queued });
  const queued = ({ events }: Batch): ItemResult[] =>
    events.map((text) => ({ status: 'accepted', audit_id: (JSON.parse(text) as AuditEvent).audit_id }));

  test('the gate asks for the chain before the effect, and for nothing after it', async () => {
    const { gate, audit, transport } = open({}, service());
    audit.emit({ tenantId: 'acme', eventType: 'a.b', actorType: 'agent', actorId: 'refund-bot' });
    const acknowledged = await gate.run(refund, (_, execution) => {
      expect(types(transport.events).slice(-2)).toEqual(['agent.action.intended', 'agent.action.decided']);
      return execution.acknowledged;
    });
    expect(acknowledged).toBe('chained');
    await audit.flush();
    expect(transport.batches.map(({ chained }) => chained)).toEqual([true, undefined]);
    expect(transport.batches[1]!.events.join()).not.toContain('acknowledged');
  });

  test('what is only queued is not chained: the effect does not run', async () => {
    const effect = vi.fn();
    const error = await failure(open({}, topic()).gate.run(refund, effect));
    expect(error).toMatchObject({ code: 'NOT_ACKNOWLEDGED' });
    expect(error.message).toContain('in a queue and not chained');
    expect(effect).not.toHaveBeenCalled();
  });

  test("with acknowledgement: 'accepted' the queue is enough, and the record says that it was", async () => {
    const { gate, audit, transport } = open({ acknowledgement: 'accepted' }, topic());
    expect(await gate.run(refund, (_, { acknowledged }) => acknowledged)).toBe('accepted');
    await audit.flush();
    expect(transport.batches.map(({ chained }) => chained)).toEqual([undefined, undefined]);
    expect(JSON.parse(transport.batches[1]!.events[0]!)).toMatchObject({
      event_type: 'agent.action.completed',
      context: { acknowledged: 'accepted' },
    });
  });

  test('an action that needs an approval is chained in any case, or is not requested', async () => {
    const desk = createMemoryDesk();
    const options = { policy: ask, desk, acknowledgement: 'accepted' } as const;
    const { gate, transport } = open(options, topic());
    expect(await failure(gate.run(refund, () => 1))).toMatchObject({ code: 'NOT_ACKNOWLEDGED' });
    expect(transport.batches[0]!.chained).toBe(true);
    expect(desk.list()).toEqual([]);
  });

  test('an action that another process reports says in its admission what was acknowledged', async () => {
    const ledger = createMemoryDesk();
    const action = { ...refund, idempotencyKey: 'o-1' };
    expect(await open({ ledger }, service()).gate.admit(action)).toMatchObject({ acknowledged: 'chained' });
    const { gate } = open({ ledger: createMemoryDesk(), acknowledgement: 'accepted' }, topic());
    expect(await gate.admit(action)).toMatchObject({ acknowledged: 'accepted' });
    // The end is durable in the queue. Nothing waits for it to be chained.
    expect(await gate.report(action, { status: 'success' })).toBe('recorded');
  });
});
