import type { AuditEvent } from '@tallystick/event';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { createAuditEmitter } from '../../src/index.ts';
import { memoryTransport } from '../../src/transport/memory.ts';
import { closeGates, closers, failure, open, refund, types } from './open-gate.ts';

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
    expect(await gate.run({ ...refund, failOpen: true }, () => 'ran')).toBe('ran');
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

  test('a queue that accepted the events is no acknowledgement', async () => {
    const transport = memoryTransport({
      intercept: (batch) =>
        batch.events.map((text) => ({
          status: 'accepted',
          audit_id: (JSON.parse(text) as AuditEvent).audit_id,
        })),
    });
    expect(await failure(open({}, transport).gate.run(refund, () => 1))).toMatchObject({
      code: 'NOT_ACKNOWLEDGED',
    });
  });
});
