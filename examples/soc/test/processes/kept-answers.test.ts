import { tempDir } from '@tallystick/testing';
import { expect, test } from 'vitest';
import { DurableStore } from '../../src/platform/durable/store.ts';
import type { Reasoner, Reasoning, ReasoningRequest } from '../../src/platform/reasoning.ts';
import { reasonerCalls } from '../../src/processes/calls/reasoner.ts';
import { newLineage } from '../platform-parts.ts';

const request: ReasoningRequest = {
  lineage: newLineage(),
  task: 'batch.mine',
  severity: 'low',
  tenantTier: 'trial',
  instructions: 'Judge.',
  evidence: [{ ref: 'alert-1', text: 'a text' }],
  needsReasoning: false,
};

const reasoning = (status: Reasoning['status'], eventId: string): Reasoning => ({
  ...{ status, eventId },
  ...{ techniques: [], recommendedActions: [], costUsd: 0 },
});

/** A gateway whose calls end with these statuses, one after the other, over a store that outlives its process. */
function gatewayOf(...statuses: Reasoning['status'][]) {
  const directory = tempDir();
  let calls = 0;
  const reasoner: Reasoner = {
    reason: async () => {
      await new Promise(setImmediate);
      return reasoning(statuses[calls]!, `event-${++calls}`);
    },
  };
  let store = new DurableStore(directory.path);
  const start = () => reasonerCalls(reasoner, store).calls;
  let offered = start();
  return {
    ask: (asked: ReasoningRequest = request) => offered.reason!(asked) as Promise<Reasoning>,
    restart() {
      store.close();
      store = new DurableStore(directory.path);
      offered = start();
    },
    [Symbol.dispose]() {
      store.close();
      directory.remove();
    },
  };
}

test('the same request gets the same answer, at the same time and after a restart; another one is asked', async () => {
  using gateway = gatewayOf('answered', 'quarantined');
  const both = await Promise.all([gateway.ask(), gateway.ask()]);
  expect(both.map(({ eventId }) => eventId)).toEqual(['event-1', 'event-1']);
  gateway.restart();
  expect(await gateway.ask()).toEqual(reasoning('answered', 'event-1'));
  expect((await gateway.ask({ ...request, instructions: 'Judge again.' })).eventId).toBe('event-2');
});

// The batch scheduler asks again later with the same request. It got the failure of the first time for a day.
test('a request that failed or was refused is asked again', async () => {
  using gateway = gatewayOf('failed', 'refused', 'answered');
  expect((await gateway.ask()).status).toBe('failed');
  expect((await gateway.ask()).status).toBe('refused');
  expect((await gateway.ask()).status).toBe('answered');
  expect((await gateway.ask()).eventId).toBe('event-3');
});

test('a request without the form of one is refused before anything is asked', async () => {
  using gateway = gatewayOf();
  await expect(async () => gateway.ask({ ...request, evidence: 'x' } as never)).rejects.toThrow('evidence');
});
