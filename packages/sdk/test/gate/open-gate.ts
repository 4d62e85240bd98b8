import type { AuditEvent } from '@tallystick/event';
import { expect } from 'vitest';
import {
  createGate,
  functionPolicy,
  type GatedAction,
  GateError,
  type GateOptions,
  type PolicyDecision,
  type PolicyRequest,
} from '../../src/gate/index.ts';
import { createAuditEmitter, type Transport } from '../../src/index.ts';
import { memoryTransport } from '../../src/transport/memory.ts';

/** Closes what a test file has opened. Call it after each test. */
export async function closeGates(): Promise<void> {
  await Promise.all(closers.splice(0).map((close) => close()));
}

export const closers: (() => Promise<unknown>)[] = [];

export const policyOf = (decide: (request: PolicyRequest) => PolicyDecision | Promise<PolicyDecision>) =>
  functionPolicy({ name: 'refunds', version: '7', decide });
export const allow = policyOf(() => ({ effect: 'allow', rule: 'small' }));
export const ask = policyOf(() => ({ effect: 'ask', rule: 'large', approval: { approvals: 1 } }));

/** A gate with an emitter of its own. */
export function open(options: Partial<GateOptions> = {}, transport: Transport = memoryTransport()) {
  const audit = createAuditEmitter({
    service: 'refunds',
    transport,
    flushOnExit: false,
    maxRetries: 0,
    deadlineMs: 50,
  });
  closers.push(() => audit.close({ deadlineMs: 50 }));
  const gate = createGate({
    audit,
    policy: allow,
    tenantId: 'acme',
    actor: { actorType: 'agent', actorId: 'refund-bot' },
    ...options,
  });
  /** The gate's records so far, after their delivery. */
  const records = async (): Promise<readonly AuditEvent[]> => {
    await audit.flush({ deadlineMs: 30_000 });
    return (transport as ReturnType<typeof memoryTransport>).events;
  };
  return { gate, audit, transport: transport as ReturnType<typeof memoryTransport>, records };
}

export const refund: GatedAction<{ amount: number }> = {
  action: 'refund',
  arguments: { amount: 40 },
  target: { type: 'order', id: 'o-1' },
  onBehalfOf: [{ actorType: 'user', actorId: 'maria' }],
};
/** The error that a run ends with. */
export const failure = async (run: Promise<unknown>): Promise<GateError> => {
  const error: unknown = await run.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(GateError);
  return error as GateError;
};
export const types = (events: readonly AuditEvent[]) => events.map((event) => event.event_type);
