import { tenantIdPattern } from '@tallystick/event';
import type { Reason } from '@tallystick/protocol';
import { submitterOf } from '../../../chain/accounting.ts';
import type { BatchItem, ItemIngest, ProducerStatement } from '../../../chain/batch.ts';
import { toDeadLetter } from '../../../chain/dead-letters.ts';
import type { UnreadableBatch } from '../../../kafka-client/records/messages.ts';
import type { Message } from '../../../kafka-client/records/record.ts';
import type { Admission } from '../../admit/admission.ts';
import { readStatement, toStatement } from '../../admit/statement.ts';
import { type MessageHeaders, readHeaders, textOf } from './headers.ts';
import { keepBytes, maxKeptBytes } from './kept-bytes.ts';
import { forbiddenTenant, noValue, refusedItem, tooLong, wrongKey } from './refused-message.ts';
import {
  identifySubmitter,
  type MessageOrigin,
  type Submitter,
  topicIngest,
  withProducer,
} from './submitter.ts';

export interface MessageContext extends MessageOrigin {
  readonly admission: Admission;
  /** The topic is the gateway's: only the service writes there, so its headers say who submitted a message. */
  readonly fromGateway: boolean;
}

/** What the chain is to store of a message. */
interface MessageContent {
  readonly items: readonly BatchItem[];
  readonly statement: ProducerStatement | undefined;
  /** For a statement: the items that take its place if the store refuses what it declares. */
  readonly refuse?: (reason: Reason) => readonly BatchItem[];
}

/** A message, ready to be stored. */
export interface PreparedMessage extends MessageContent {
  readonly offset: number;
  /** Bytes of the message. */
  readonly size: number;
  readonly leaderEpoch: number;
}

/**
 * Turns a message into items for the chain (spec/delivery.md, "Delivery over Kafka"). A message without a valid event
 * becomes a dead letter. Headers never refuse an event.
 *
 * A record batch that can't be unpacked becomes one dead letter, whatever it contains: its tenants and the numbers of its
 * producers are unknown, so those numbers stay open.
 */
export function prepareMessage(message: Message | UnreadableBatch, context: MessageContext): PreparedMessage {
  const { offset, leaderEpoch } = message;
  if ('bytes' in message) {
    return { offset, leaderEpoch, size: message.bytes.length, ...readUnreadable(message, context) };
  }
  return { offset, leaderEpoch, size: message.value?.length ?? 0, ...readMessage(message, context) };
}

function readUnreadable(batch: UnreadableBatch, context: MessageContext): MessageContent {
  const { offset, last, code, reason, bytes } = batch;
  const { raw, note } = keepBytes(bytes);
  const message = `the record batch of offsets ${offset} to ${last} ${reason}${note}`;
  const ingest = topicIngest(offset, context);
  const deadLetter = toDeadLetter(context.admission.withoutSecrets(raw), ingest, [
    { code, pointer: '', message },
  ]);
  return { items: [{ deadLetter, ingest }], statement: undefined };
}

function readMessage(message: Message, context: MessageContext): MessageContent {
  const headers = readHeaders(message, context.fromGateway);
  const submitter = identifySubmitter(headers, message.offset, context);
  const key = textOf(message.key);
  const { value } = message;
  if (value !== null && value.length > maxKeptBytes) {
    const { raw, note } = keepBytes(value);
    const ingest = withProducer(submitter.ingest, headers);
    return only(
      refusedItem(
        context.admission.withoutSecrets(raw),
        ingest,
        tooLong(note),
        unrestrictedTenant(key, submitter),
      ),
    );
  }
  if (headers.isStatement) return readStatementMessage(value, key, submitter, context);
  return readEventMessage(value, key, submitter, headers, context);
}

function readEventMessage(
  value: Buffer | null,
  key: string | undefined,
  submitter: Submitter,
  headers: MessageHeaders,
  { admission }: MessageContext,
): MessageContent {
  const { tenants } = submitter;
  const ingest = withProducer(submitter.ingest, headers);
  if (value === null)
    return only(refusedItem(admission.withoutSecrets(value), ingest, noValue, keyTenant(key)));
  const refusals = headers.gateway?.refusals;
  if (refusals !== undefined) return only(admission.refusedItem(value, ingest, refusals, tenants));
  const item = admission.itemOf(value, ingest, tenants);
  if (item === undefined)
    return only(refusedItem(admission.withoutSecrets(value), ingest, forbiddenTenant, undefined));
  if ('deadLetter' in item) {
    // The producer numbered the event under some tenant: the key names it if the event can't be read.
    const tenantId = item.deadLetter.tenantId ?? unrestrictedTenant(key, submitter);
    const deadLetter = tenantId === undefined ? item.deadLetter : { ...item.deadLetter, tenantId };
    return only({ ...item, deadLetter });
  }
  const { tenant_id } = item.event;
  if (key !== tenant_id)
    return only(refusedItem(admission.withoutSecrets(value), ingest, wrongKey(key), tenant_id));
  return { items: [item], statement: introduction(ingest, headers) };
}

function readStatementMessage(
  value: Buffer | null,
  key: string | undefined,
  { ingest, tenants }: Submitter,
  { admission }: MessageContext,
): MessageContent {
  const refuse = (reason: Reason) => [
    refusedItem(admission.withoutSecrets(value), ingest, reason, keyTenant(key)),
  ];
  const refused = (reason: Reason) => ({ items: refuse(reason), statement: undefined });
  if (value === null) return refused(noValue);
  const reading = readStatement(value);
  if ('refusal' in reading) return refused(reading.refusal);
  const { gaps = [], final = [] } = reading.delivery;
  if ([...gaps, ...final].some(({ tenant_id }) => tenant_id !== key)) return refused(wrongKey(key));
  if (tenants !== undefined && (key === undefined || !tenants.includes(key))) {
    return only(refusedItem(admission.withoutSecrets(value), ingest, forbiddenTenant, undefined));
  }
  const declared = toStatement(reading.delivery, submitterOf(ingest));
  const { statement, refused: items } = admission.statementOf(declared, ingest, value);
  return { items, statement, refuse };
}

/** Names the service of a producer, and whether it is ephemeral. It comes with each event; `mergeStatements` keeps one per batch. */
function introduction(
  ingest: ItemIngest,
  { service, ephemeral }: MessageHeaders,
): ProducerStatement | undefined {
  if (ingest.producer_id === undefined || (service === undefined && !ephemeral)) return undefined;
  const submitter = submitterOf(ingest);
  return { submitter, producerId: ingest.producer_id, service, ephemeral, gaps: [], final: [] };
}

function only(item: BatchItem): MessageContent {
  return { items: [item], statement: undefined };
}

/** The tenant that the key of a message names. */
function keyTenant(key: string | undefined): string | undefined {
  return key !== undefined && tenantIdPattern.test(key) ? key : undefined;
}

/** The same, unless the submitter is restricted to some tenants: a key does not prove that it may write for this one. */
function unrestrictedTenant(key: string | undefined, { tenants }: Submitter): string | undefined {
  return tenants === undefined ? keyTenant(key) : undefined;
}
