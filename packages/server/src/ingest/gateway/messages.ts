import {
  type AcceptedResult,
  kafkaHeaders,
  type Reason,
  type ReceivedDelivery,
  statementKind,
} from '@tallystick/protocol';
import { yieldEvery } from '../../timing/yield.ts';
import type { Admission } from '../admit/admission.ts';
import type { Submission, SubmissionError } from '../submission.ts';

/** A message for the gateway's topic, in the client library's form. */
export interface GatewayMessage {
  readonly key?: Buffer;
  readonly value: Buffer;
  readonly headers: Map<Buffer, Buffer>;
}

type GatewayResult = AcceptedResult | { readonly status: 'rejected'; readonly error: SubmissionError };

export interface Handover {
  readonly messages: readonly GatewayMessage[];
  /** One for each event; true once the broker has the messages. Those of {@link oversized} are only a first answer. */
  readonly results: GatewayResult[];
  /** Refused events that no message can hold, by their place in the submission. */
  readonly oversized: readonly number[];
}

/** Most bytes of one write, and so of one batch of messages: what a topic takes unless it was told otherwise, with room. */
export const maxWriteBytes = 1_000_000;

/** Events that are admitted before the event loop gets its turn. */
const eventsPerTurn = 64;

/** Reasons that travel with a refused event; an event can be wrong in more ways than a header should hold. */
const maxReasons = 20;

/**
 * What is written for a submission. An event for another's tenant is answered and not written, as over HTTP: whoever may
 * not hand events in for a tenant may not fill its dead letters either.
 */
export async function toMessages(submission: Submission, admission: Admission): Promise<Handover> {
  const { events, source, trust, principal, tenants, delivery } = submission;
  const messages: GatewayMessage[] = [];
  const results: GatewayResult[] = [];
  const oversized: number[] = [];
  const submitter = principal === undefined ? [] : [header(kafkaHeaders.principal, principal)];
  const producer = producerHeaders(delivery);
  const ingest = { source, trust, ...(principal !== undefined && { principal }) };
  const turn = yieldEvery(eventsPerTurn);
  for (const [index, raw] of events.entries()) {
    await turn();
    const item = admission.itemOf(raw, ingest, tenants);
    if (item === undefined) {
      results.push(rejected([forbidden]));
      continue;
    }
    const sequence = delivery?.sequences?.[index];
    const numbered =
      sequence === undefined
        ? producer
        : [...producer, header(kafkaHeaders.producerSequence, String(sequence))];
    const value =
      typeof raw === 'string' ? Buffer.from(raw) : Buffer.from(raw.buffer, raw.byteOffset, raw.byteLength);
    if ('deadLetter' in item) {
      const { violations, tenantId } = item.deadLetter;
      results.push(rejected(violations));
      const reasons = header(kafkaHeaders.refusal, JSON.stringify(violations.slice(0, maxReasons)));
      const message = {
        value,
        headers: new Map([...submitter, ...reach(tenants, tenantId), ...numbered, reasons]),
      };
      if (sizeOf(message) > maxWriteBytes) oversized.push(index);
      else messages.push(message);
      continue;
    }
    const { tenant_id, audit_id } = item.event;
    results.push({ status: 'accepted', audit_id });
    messages.push({
      key: Buffer.from(tenant_id),
      value,
      headers: new Map([...submitter, ...reach(tenants, tenant_id), ...numbered]),
    });
  }
  for (const [tenantId, said] of statementsOf(delivery, tenants)) {
    messages.push({
      key: Buffer.from(tenantId),
      value: Buffer.from(JSON.stringify({ delivery: said })),
      headers: new Map([...submitter, ...reach(tenants, tenantId), header(kafkaHeaders.kind, statementKind)]),
    });
  }
  return { messages, results, oversized };
}

/** About what a message takes on the wire, rounded up. */
export function sizeOf({ key, value, headers: all }: GatewayMessage): number {
  let size = 64 + (key?.length ?? 0) + value.length;
  for (const [name, said] of all) size += 8 + name.length + said.length;
  return size;
}

/** Of the tenants that a key is for, those that the message can be about: a key of a thousand must not fill each message. */
function reach(tenants: readonly string[] | undefined, tenantId: string | undefined): [Buffer, Buffer][] {
  if (tenants === undefined) return [];
  return [header(kafkaHeaders.tenants, JSON.stringify(tenantId === undefined ? [] : [tenantId]))];
}

function producerHeaders(delivery: ReceivedDelivery | undefined): [Buffer, Buffer][] {
  if (delivery === undefined) return [];
  const { producer_id, service } = delivery;
  const id = header(kafkaHeaders.producerId, producer_id);
  return service === undefined ? [id] : [id, header(kafkaHeaders.service, service)];
}

/** One statement for each tenant, so that it stands in the partition of the events it speaks of, and behind them. */
function statementsOf(
  delivery: ReceivedDelivery | undefined,
  tenants: readonly string[] | undefined,
): Map<string, ReceivedDelivery> {
  const statements = new Map<string, ReceivedDelivery>();
  if (delivery === undefined) return statements;
  const { producer_id, service, gaps = [], final = [] } = delivery;
  const mentioned = new Set([...gaps, ...final].map(({ tenant_id }) => tenant_id));
  const gapsOf = Map.groupBy(gaps, ({ tenant_id }) => tenant_id);
  const finalOf = Map.groupBy(final, ({ tenant_id }) => tenant_id);
  for (const tenantId of mentioned) {
    if (tenants !== undefined && !tenants.includes(tenantId)) continue;
    statements.set(tenantId, {
      producer_id,
      ...(service !== undefined && { service }),
      ...(gapsOf.has(tenantId) && { gaps: gapsOf.get(tenantId) }),
      ...(finalOf.has(tenantId) && { final: finalOf.get(tenantId) }),
    });
  }
  return statements;
}

const forbidden: Reason = {
  code: 'TENANT_FORBIDDEN',
  pointer: '/tenant_id',
  message: 'is not a tenant of the key',
};

function rejected(violations: readonly Reason[]): GatewayResult {
  return { status: 'rejected', error: { ...violations[0]!, violations } };
}

function header(name: string, value: string): [Buffer, Buffer] {
  return [Buffer.from(name), Buffer.from(value)];
}
