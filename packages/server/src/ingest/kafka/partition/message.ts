import { decodeUtf8, tenantIdPattern, uuidPattern, uuidv7Time } from '@tallystick/event';
import { kafkaHeaders, type Reason, statementKind } from '@tallystick/protocol';
import * as z from 'zod';
import { submitterOf } from '../../../chain/accounting.ts';
import type { BatchItem, ItemIngest, ProducerStatement } from '../../../chain/batch.ts';
import { toDeadLetter } from '../../../chain/dead-letters.ts';
import { messageSource } from '../../../chain/message-source.ts';
import type { Topic } from '../../../kafka-client/brokers.ts';
import { keepBytes, maxKeptBytes } from '../../../kafka-client/fetch/kept-bytes.ts';
import type { Message } from '../../../kafka-client/records/record-batch.ts';
import type { ClosedBatch } from '../../../kafka-client/records/records.ts';
import type { Admission } from '../../admit/admission.ts';
import { isStorable } from '../../admit/delivery.ts';
import { readStatement, toStatement } from '../../admit/statement.ts';

/** Where messages come from, and what may be believed of what travels beside them. */
export interface MessageContext {
  readonly admission: Admission;
  readonly topic: Topic;
  readonly partition: number;
  /** The gateway's topic: only the service itself writes there, so its headers say who submitted. */
  readonly fromGateway: boolean;
}

/** What the chain is to do with a message. */
export interface ReadMessage {
  readonly items: readonly BatchItem[];
  readonly statement: ProducerStatement | undefined;
  /** Of a statement: what becomes of the message where the store turns out not to take what it declares. */
  readonly refuse?: (refusal: Reason) => readonly BatchItem[];
}

/**
 * Reads a message (spec/delivery.md, "Delivery over Kafka"). Anything that is not a valid event becomes a dead letter; what
 * travels beside an event never refuses it. A batch that can't be unpacked is one dead letter, whatever it holds: whose
 * events they are nobody can tell, and the numbers of their producers stay open.
 */
export function readMessage(message: Message | ClosedBatch, context: MessageContext): ReadMessage {
  if ('bytes' in message) return readClosedBatch(message, context);
  const headers = readHeaders(message);
  const { ingest, tenants } = submitterIn(headers, message, context);
  const key = textOf(message.key);
  if (message.value !== null && message.value.length > maxKeptBytes) {
    const { raw, note } = keepBytes(message.value);
    const cut = { ...message, value: raw };
    const tenantId = tenants === undefined ? keyTenant(key) : undefined;
    return refused(cut, numbered(ingest, headers), { ...tooLong, message: `is too long${note}` }, tenantId);
  }
  if (headers.get(kafkaHeaders.kind) === statementKind)
    return readStatementMessage(message, key, ingest, tenants, context);
  return readEvent(message, key, numbered(ingest, headers), tenants, headers, context);
}

function readClosedBatch(batch: ClosedBatch, { topic, partition }: MessageContext): ReadMessage {
  const { clusterId, name } = topic;
  const { offset, last, code, why, bytes } = batch;
  const { raw, note } = keepBytes(bytes);
  const message = `the record batch of offsets ${offset} to ${last} ${why}${note}`;
  const source = messageSource({ clusterId, topic: name, partition, offset });
  const ingest: ItemIngest = { source, trust: 'topic-acl' };
  const deadLetter = toDeadLetter(raw, ingest, [{ code, pointer: '', message }]);
  return { items: [{ deadLetter, ingest }], statement: undefined };
}

function readEvent(
  message: Message,
  key: string | undefined,
  ingest: ItemIngest,
  tenants: readonly string[] | undefined,
  headers: Headers,
  { admission }: MessageContext,
): ReadMessage {
  const refuse = (refusal: Reason, tenantId: string | undefined) =>
    refused(message, ingest, refusal, tenantId);
  if (message.value === null) return refuse(noValue, keyTenant(key));
  const refusals = ingest.trust === 'api-key' ? readRefusals(headers) : undefined;
  if (refusals !== undefined) {
    return { items: [admission.refusedItem(message.value, ingest, refusals, tenants)], statement: undefined };
  }
  const item = admission.itemOf(message.value, ingest, tenants);
  if (item === undefined) return refuse(notTheirs, undefined);
  if ('deadLetter' in item) {
    // Numbered under the tenant that the producer named, in the key where the event itself can't be read.
    const tenantId = item.deadLetter.tenantId ?? (tenants === undefined ? keyTenant(key) : undefined);
    const deadLetter = tenantId === undefined ? item.deadLetter : { ...item.deadLetter, tenantId };
    return { items: [{ ...item, deadLetter }], statement: undefined };
  }
  if (key !== item.event.tenant_id) return refuse(wrongKey(key), item.event.tenant_id);
  return { items: [item], statement: introduction(ingest, headers) };
}

/** Who a producer is travels with each event; its account is told once a batch, not once an event (see `mergeStatements`). */
function introduction(ingest: ItemIngest, headers: Headers): ProducerStatement | undefined {
  const service = headers.get(kafkaHeaders.service);
  if (ingest.producer_id === undefined || service === undefined) return undefined;
  if (service === '' || service.length > 512 || !isStorable(service)) return undefined;
  return { submitter: submitterOf(ingest), producerId: ingest.producer_id, service, gaps: [], final: [] };
}

function readStatementMessage(
  message: Message,
  key: string | undefined,
  ingest: ItemIngest,
  tenants: readonly string[] | undefined,
  { admission }: MessageContext,
): ReadMessage {
  if (message.value === null) return refused(message, ingest, noValue, keyTenant(key));
  const reading = readStatement(message.value);
  if ('refusal' in reading) return refused(message, ingest, reading.refusal, keyTenant(key));
  const { gaps = [], final = [] } = reading.delivery;
  if ([...gaps, ...final].some(({ tenant_id }) => tenant_id !== key)) {
    return refused(message, ingest, wrongKey(key), keyTenant(key));
  }
  if (tenants !== undefined && (key === undefined || !tenants.includes(key))) {
    return refused(message, ingest, notTheirs, undefined);
  }
  const said = toStatement(reading.delivery, submitterOf(ingest));
  const { statement, refused: items } = admission.statementOf(said, ingest, message.value);
  const refuse = (refusal: Reason) => refused(message, ingest, refusal, keyTenant(key)).items;
  return { items, statement, refuse };
}

type Headers = ReadonlyMap<string, string | undefined>;

/** Others are not even remembered: a message may have as many as its sender likes. */
const known: ReadonlySet<string> = new Set(Object.values(kafkaHeaders));

/** The headers that mean something here; `undefined` for one that is no text, or that is there twice with two meanings. */
function readHeaders({ headers }: Message): Headers {
  const read = new Map<string, string | undefined>();
  for (const [name, value] of headers) {
    const key = textOf(name);
    if (key === undefined || !known.has(key)) continue;
    const text = textOf(value);
    read.set(key, read.has(key) && read.get(key) !== text ? undefined : text);
  }
  return read;
}

/** Who handed the message in, and for which tenants. */
function submitterIn(
  headers: Headers,
  message: Message,
  { topic, partition, fromGateway }: MessageContext,
): { readonly ingest: ItemIngest; readonly tenants: readonly string[] | undefined } {
  const { clusterId, name } = topic;
  const source = messageSource({ clusterId, topic: name, partition, offset: message.offset });
  const principal = headers.get(kafkaHeaders.principal);
  // A message in the gateway's topic that the gateway has not signed is anybody's, and is trusted as such.
  if (!fromGateway || principal === undefined || principal === '') {
    return { ingest: { source, trust: 'topic-acl' }, tenants: undefined };
  }
  const ingest: ItemIngest = { source, trust: 'api-key', principal };
  if (!headers.has(kafkaHeaders.tenants)) return { ingest, tenants: undefined };
  return { ingest, tenants: readTenants(headers.get(kafkaHeaders.tenants)) };
}

/** A restriction that can't be read restricts to nothing. */
function readTenants(text: string | undefined): readonly string[] {
  try {
    return z.array(z.string()).parse(JSON.parse(text ?? ''));
  } catch {
    return [];
  }
}

/** Why the gateway refused an event; nothing where it did not. */
function readRefusals(headers: Headers): readonly Reason[] | undefined {
  if (!headers.has(kafkaHeaders.refusal)) return undefined;
  try {
    return refusalsSchema.parse(JSON.parse(headers.get(kafkaHeaders.refusal) ?? ''));
  } catch {
    return [{ code: 'REFUSED', pointer: '', message: 'was refused, for a reason that can not be read' }];
  }
}

const refusalsSchema = z
  .array(z.object({ code: z.string(), pointer: z.string(), message: z.string() }))
  .min(1);

function numbered(ingest: ItemIngest, headers: Headers): ItemIngest {
  const producerId = headers.get(kafkaHeaders.producerId);
  const sequence = headers.get(kafkaHeaders.producerSequence);
  if (producerId === undefined || !uuidPattern.test(producerId) || uuidv7Time(producerId) === undefined)
    return ingest;
  if (sequence === undefined || !/^[1-9]\d{0,15}$/.test(sequence)) return ingest;
  const number = Number(sequence);
  if (!Number.isSafeInteger(number)) return ingest;
  return { ...ingest, producer_id: producerId, producer_seq: number };
}

const tooLong = { code: 'EVENT_TOO_LARGE', pointer: '' };
const noValue: Reason = { code: 'VALUE_MISSING', pointer: '', message: 'the message has no value' };
const notTheirs: Reason = {
  code: 'TENANT_FORBIDDEN',
  pointer: '/tenant_id',
  message: 'is not a tenant of the key that submitted the event',
};

function wrongKey(key: string | undefined): Reason {
  const said =
    key === undefined ? 'has no key that is text' : `has the key ${JSON.stringify(key.slice(0, 128))}`;
  return {
    code: 'KEY_MISMATCH',
    pointer: '/tenant_id',
    message: `must be the message's key; the message ${said}`,
  };
}

function refused(
  { value }: Message,
  ingest: ItemIngest,
  refusal: Reason,
  tenantId: string | undefined,
): ReadMessage {
  const { tenantId: _, ...letter } = toDeadLetter(value ?? new Uint8Array(), ingest, [refusal]);
  const deadLetter = { ...letter, ...(tenantId !== undefined && { tenantId }) };
  return { items: [{ deadLetter, ingest }], statement: undefined };
}

function keyTenant(key: string | undefined): string | undefined {
  return key !== undefined && tenantIdPattern.test(key) ? key : undefined;
}

function textOf(bytes: Buffer | null): string | undefined {
  if (bytes === null) return undefined;
  try {
    return decodeUtf8(bytes);
  } catch {
    return undefined;
  }
}
