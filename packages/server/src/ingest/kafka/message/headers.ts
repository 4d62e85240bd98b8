import { decodeUtf8, uuidPattern, uuidv7Time } from '@tallystick/event';
import { kafkaHeaders, type Reason, statementKind } from '@tallystick/protocol';
import * as z from 'zod';
import { exceededBound } from '../../../input/json-bounds.ts';
import { isStorable } from '../../../input/storable.ts';
import type { Message } from '../../../kafka-client/records/record.ts';

/**
 * The headers that travel beside an event (spec/delivery.md, "Delivery over Kafka"). Every client that may write to the
 * topic controls them. A header that is malformed, or that is there twice with two values, counts as absent: headers never
 * refuse an event.
 */
export interface MessageHeaders {
  /** The message declares what a producer has lost or its last number, and has no event. */
  readonly isStatement: boolean;
  /** The process that produced the event, and the event's number there. */
  readonly producer: { readonly id: string; readonly sequence: number } | undefined;
  /** Name of the producing service. */
  readonly service: string | undefined;
  /** The runtime of the process may end it without notice. */
  readonly ephemeral: boolean;
  /** What the gateway says of the message; undefined in any other topic, and if the gateway did not write the message. */
  readonly gateway: GatewayHeaders | undefined;
}

interface GatewayHeaders {
  /** Who submitted the event over HTTP. */
  readonly principal: string;
  /** Tenants that the submitter may write for; undefined for every tenant. */
  readonly tenants: readonly string[] | undefined;
  /** Why the gateway refused the event; undefined if it accepted it. */
  readonly refusals: readonly Reason[] | undefined;
}

/** @param fromGateway whether the topic is the gateway's, to which only the service itself may write */
export function readHeaders({ headers }: Message, fromGateway: boolean): MessageHeaders {
  const texts = readKnown(headers);
  return {
    isStatement: texts.get(kafkaHeaders.kind) === statementKind,
    producer: readProducer(texts),
    service: readService(texts.get(kafkaHeaders.service)),
    ephemeral: texts.get(kafkaHeaders.ephemeral) === 'true',
    gateway: fromGateway ? readGateway(texts) : undefined,
  };
}

/** A text if the bytes are UTF-8. */
export function textOf(bytes: Buffer | null): string | undefined {
  if (bytes === null) return undefined;
  try {
    return decodeUtf8(bytes);
  } catch {
    return undefined;
  }
}

/** The name of a header that is malformed, or that has two values, maps to undefined. */
type Texts = ReadonlyMap<string, string | undefined>;

const knownHeaders: ReadonlySet<string> = new Set(Object.values(kafkaHeaders));
const longestName = Math.max(...[...knownHeaders].map((name) => Buffer.byteLength(name)));

/** Most bytes of a value: the longest one lists the reasons of a refusal. A longer value counts as malformed. */
const maxValueBytes = 256 * 1024;

/** Unknown headers take no memory: a sender may put any number of them into a message. */
function readKnown(headers: Message['headers']): Texts {
  const texts = new Map<string, string | undefined>();
  for (const [name, value] of headers) {
    if (name === null || name.length > longestName) continue;
    const key = textOf(name);
    if (key === undefined || !knownHeaders.has(key)) continue;
    const text = value !== null && value.length > maxValueBytes ? undefined : textOf(value);
    texts.set(key, texts.has(key) && texts.get(key) !== text ? undefined : text);
  }
  return texts;
}

function readProducer(texts: Texts): MessageHeaders['producer'] {
  const id = texts.get(kafkaHeaders.producerId);
  const text = texts.get(kafkaHeaders.producerSequence);
  if (id === undefined || !uuidPattern.test(id) || uuidv7Time(id) === undefined) return undefined;
  if (text === undefined || !/^[1-9]\d{0,15}$/.test(text)) return undefined;
  const sequence = Number(text);
  return Number.isSafeInteger(sequence) ? { id, sequence } : undefined;
}

const maxServiceLength = 512;

function readService(text: string | undefined): string | undefined {
  if (text === undefined || text === '' || text.length > maxServiceLength) return undefined;
  return isStorable(text) ? text : undefined;
}

function readGateway(texts: Texts): GatewayHeaders | undefined {
  const principal = texts.get(kafkaHeaders.principal);
  if (principal === undefined || principal === '') return undefined;
  const { tenants, refusal } = kafkaHeaders;
  return {
    principal,
    tenants: texts.has(tenants) ? readTenants(texts.get(tenants)) : undefined,
    refusals: texts.has(refusal) ? readRefusals(texts.get(refusal)) : undefined,
  };
}

/** A list that can't be read allows no tenant. */
function readTenants(text: string | undefined): readonly string[] {
  try {
    return z.array(z.string()).parse(parseList(text));
  } catch {
    return [];
  }
}

const refusalsSchema = z
  .array(z.object({ code: z.string(), pointer: z.string(), message: z.string() }))
  .min(1);

/** An event that the gateway refused stays refused, even if its reasons can't be read. */
function readRefusals(text: string | undefined): readonly Reason[] {
  try {
    return refusalsSchema.parse(parseList(text));
  } catch {
    return [
      { code: 'REFUSED', pointer: '', message: "was refused by the gateway; its reasons can't be read" },
    ];
  }
}

/** Far more than the gateway writes: one tenant, or twenty reasons. */
const listBounds = { maxDepth: 4, maxValues: 10_000 };

/** @throws {Error} where the text is absent, exceeds the bounds or is not JSON */
function parseList(text: string | undefined): unknown {
  if (text === undefined) throw new TypeError('the header is absent');
  const exceeded = exceededBound(Buffer.from(text), listBounds);
  if (exceeded !== undefined) throw new RangeError(exceeded);
  return JSON.parse(text);
}
