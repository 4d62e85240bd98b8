/**
 * A batch as messages of a Kafka topic: one message per event with its unchanged text, then one statement for each tenant with
 * a declared gap or end. Source: spec/delivery.md, "Delivery over Kafka".
 */
import type { MessageToProduce } from '@platformatic/kafka';
import { type DeliveryMetadata, kafkaHeaders, statementKind } from '@tallystick/protocol';
import { type Batch, TransportError } from '../transport.ts';

export interface Message extends MessageToProduce {
  key: Buffer;
  value: Buffer;
  headers: Map<Buffer, Buffer>;
}

const producerIdHeader = Buffer.from(kafkaHeaders.producerId);
const sequenceHeader = Buffer.from(kafkaHeaders.producerSequence);
const serviceHeader = Buffer.from(kafkaHeaders.service);
const ephemeralHeader = Buffer.from(kafkaHeaders.ephemeral);
const ephemeralValue = Buffer.from('true');
const kindHeader = Buffer.from(kafkaHeaders.kind);
const statementValue = Buffer.from(statementKind);

export interface PackedBatch {
  readonly messages: readonly Message[];
  /** `audit_id` of each event, in their order. */
  readonly auditIds: readonly string[];
}

/** @throws {TransportError} for an event without a tenant: the tenant is the message's key */
export function packBatch({ events, delivery }: Batch, topic: string): PackedBatch {
  // One key object per tenant, so that its partition is computed once.
  const keys = new Map<string, Buffer>();
  const keyOf = (tenant: string): Buffer => {
    let key = keys.get(tenant);
    if (key === undefined) {
      key = Buffer.from(tenant);
      keys.set(tenant, key);
    }
    return key;
  };
  const producerId = Buffer.from(delivery.producer_id);
  const service = Buffer.from(delivery.service);
  const auditIds: string[] = [];
  const messages = events.map((text, index): Message => {
    const { tenant, auditId } = identify(text);
    auditIds.push(auditId);
    const headers = new Map([[producerIdHeader, producerId]]);
    const sequence = delivery.sequences[index];
    if (sequence !== undefined) headers.set(sequenceHeader, Buffer.from(String(sequence)));
    headers.set(serviceHeader, service);
    if (delivery.ephemeral === true) headers.set(ephemeralHeader, ephemeralValue);
    return { topic, key: keyOf(tenant), value: Buffer.from(text), headers };
  });
  // After the events: a final sequence number that arrived before them would be wrong for a while.
  for (const [tenant, text] of statements(delivery)) {
    const headers = new Map([[kindHeader, statementValue]]);
    messages.push({ topic, key: keyOf(tenant), value: Buffer.from(text), headers });
  }
  return { messages, auditIds };
}

/** Splits messages into requests of at most `maxBytes`. A larger message is sent in a request of its own. */
export function* splitBySize(messages: readonly Message[], maxBytes: number): Generator<Message[]> {
  let request: Message[] = [];
  let bytes = 0;
  for (const message of messages) {
    const more = sizeOf(message);
    if (request.length > 0 && bytes + more > maxBytes) {
      yield request;
      request = [];
      bytes = 0;
    }
    request.push(message);
    bytes += more;
  }
  if (request.length > 0) yield request;
}

/** An upper bound before compression. Kafka writes a length of up to five bytes before each part. */
function sizeOf({ key, value, headers }: Message): number {
  let bytes = 32 + key.length + value.length;
  for (const [name, text] of headers) bytes += 10 + name.length + text.length;
  return bytes;
}

function identify(text: string): { tenant: string; auditId: string } {
  let event: { readonly tenant_id?: unknown; readonly audit_id?: unknown } | null | undefined;
  try {
    event = JSON.parse(text);
  } catch {
    // The error of JSON.parse is not passed on: it would quote the event.
  }
  const tenant = event?.tenant_id;
  if (typeof tenant !== 'string' || tenant === '') {
    throw new TransportError('an event of the batch has no tenant', { retryable: false });
  }
  return { tenant, auditId: String(event?.audit_id ?? '') };
}

function* statements({
  producer_id,
  service,
  ephemeral,
  gaps,
  final,
}: DeliveryMetadata): Generator<[tenant: string, text: string]> {
  const gapsOf = Map.groupBy(gaps, ({ tenant_id }) => tenant_id);
  const finalOf = Map.groupBy(final, ({ tenant_id }) => tenant_id);
  for (const tenant of new Set([...gapsOf.keys(), ...finalOf.keys()])) {
    const declared = { gaps: gapsOf.get(tenant) ?? [], final: finalOf.get(tenant) ?? [] };
    const producer = { producer_id, service, ...(ephemeral === true && { ephemeral }) };
    yield [tenant, JSON.stringify({ delivery: { ...producer, ...declared } })];
  }
}
