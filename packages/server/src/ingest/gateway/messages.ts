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

/** A message for the gateway's topic, in the form that the client library expects. */
export interface GatewayMessage {
  readonly key?: Buffer;
  readonly value: Buffer;
  readonly headers: Map<Buffer, Buffer>;
}

type GatewayResult = AcceptedResult | { readonly status: 'rejected'; readonly error: SubmissionError };

/** A submission as messages. */
interface SubmissionMessages {
  readonly messages: readonly GatewayMessage[];
  /** One for each event, valid once the broker has the messages. The results of {@link oversized} are to be replaced. */
  readonly results: GatewayResult[];
  /** Indexes in the submission of the refused events that are too large for a message. */
  readonly oversized: readonly number[];
}

/**
 * Most bytes of one write, and so of one batch of messages: somewhat less than the largest batch that a topic with the
 * default `max.message.bytes` accepts.
 */
export const maxWriteBytes = 1_000_000;

/** Events that are admitted before the event loop does other work. */
const eventsPerTurn = 64;

/** Most reasons that travel with a refused event, to bound the length of the header. */
const maxReasons = 20;

/**
 * Turns a submission into messages. An event for a tenant that the submitter may not write for gets a result and no
 * message: the submitter must not be able to fill that tenant's dead letters either.
 */
export async function toMessages(submission: Submission, admission: Admission): Promise<SubmissionMessages> {
  const { events, source, trust, principal, tenants, delivery } = submission;
  const messages: GatewayMessage[] = [];
  const results: GatewayResult[] = [];
  const oversized: number[] = [];
  const submitter = principal === undefined ? [] : [header(kafkaHeaders.principal, principal)];
  const producer = producerHeaders(delivery);
  const ingest = { source, trust, ...(principal !== undefined && { principal }) };
  const breathe = yieldEvery(eventsPerTurn);
  for (const [index, raw] of events.entries()) {
    await breathe();
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
        headers: new Map([...submitter, ...tenantsHeader(tenants, tenantId), ...numbered, reasons]),
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
      headers: new Map([...submitter, ...tenantsHeader(tenants, tenant_id), ...numbered]),
    });
  }
  for (const [tenantId, statement] of statementsOf(delivery, tenants)) {
    messages.push({
      key: Buffer.from(tenantId),
      value: Buffer.from(JSON.stringify({ delivery: statement })),
      headers: new Map([
        ...submitter,
        ...tenantsHeader(tenants, tenantId),
        header(kafkaHeaders.kind, statementKind),
      ]),
    });
  }
  return { messages, results, oversized };
}

/** Bytes that a message takes on the wire, at most. */
export function sizeOf({ key, value, headers: all }: GatewayMessage): number {
  let size = 64 + (key?.length ?? 0) + value.length;
  for (const [name, text] of all) size += 8 + name.length + text.length;
  return size;
}

/**
 * The header that restricts the message to the submitter's tenants; none if the submitter may write for every tenant. It
 * names only the tenant of the message, because the submitter may have a thousand others.
 */
function tenantsHeader(
  tenants: readonly string[] | undefined,
  tenantId: string | undefined,
): [Buffer, Buffer][] {
  if (tenants === undefined) return [];
  return [header(kafkaHeaders.tenants, JSON.stringify(tenantId === undefined ? [] : [tenantId]))];
}

function producerHeaders(delivery: ReceivedDelivery | undefined): [Buffer, Buffer][] {
  if (delivery === undefined) return [];
  const { producer_id, service, ephemeral } = delivery;
  return [
    header(kafkaHeaders.producerId, producer_id),
    ...(service === undefined ? [] : [header(kafkaHeaders.service, service)]),
    ...(ephemeral === true ? [header(kafkaHeaders.ephemeral, 'true')] : []),
  ];
}

/** One statement for each tenant, so that it follows the tenant's events in their partition. */
function statementsOf(
  delivery: ReceivedDelivery | undefined,
  tenants: readonly string[] | undefined,
): Map<string, ReceivedDelivery> {
  const statements = new Map<string, ReceivedDelivery>();
  if (delivery === undefined) return statements;
  const { producer_id, service, ephemeral, gaps = [], final = [] } = delivery;
  const mentioned = new Set([...gaps, ...final].map(({ tenant_id }) => tenant_id));
  const gapsOf = Map.groupBy(gaps, ({ tenant_id }) => tenant_id);
  const finalOf = Map.groupBy(final, ({ tenant_id }) => tenant_id);
  for (const tenantId of mentioned) {
    if (tenants !== undefined && !tenants.includes(tenantId)) continue;
    statements.set(tenantId, {
      producer_id,
      ...(service !== undefined && { service }),
      ...(ephemeral === true && { ephemeral }),
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
