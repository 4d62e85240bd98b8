import { createHash } from 'node:crypto';
import type { Message as KafkaMessage } from '@platformatic/kafka';
import type { Refusal } from '../message-handling.ts';
import type { DeadLetter, Message, RejectedMessage } from '../topics.ts';
import { decodeMessage, lineageOfPlace } from './message-bytes.ts';
import { maxKeyBytes, maxMessageBytes } from './topic-settings.ts';
import { messageIdHeader } from './topic-writer.ts';

/** A message as Kafka delivers it. */
export type Received = KafkaMessage<Buffer, Buffer, Buffer, Buffer>;

/** Identifies a message by its place, also if its sender copied the header of another, or its topic was deleted and created again. */
export function placeOf(received: Received): string {
  const { topic, partition, offset } = received;
  return JSON.stringify([topic, partition, String(offset), idOf(received) ?? '']);
}

/**
 * The same for a message that its sender published twice, because the first acknowledgement was lost. The content is part of it: a sender
 * that copies the id of another message can't suppress that message. A message without an id is identified by its place.
 */
export function identityOf(received: Received): string {
  const { topic, key, value } = received;
  const id = idOf(received);
  const hash = createHash('sha256').update(JSON.stringify([topic, id ?? placeOf(received)]));
  for (const part of [key, value]) hash.update(`${part?.length ?? -1} `).update(part ?? '');
  return hash.digest('hex');
}

function idOf({ headers }: Received): string | undefined {
  // Kafka permits headers without a value, which the types of the client library do not say.
  const all: Iterable<readonly [Buffer, Buffer | null]> = headers;
  return [...all].find(([name]) => name.toString() === messageIdHeader)?.[1]?.toString('base64');
}

export function readOrRefuse({ key, value }: Received): { message: Message<unknown> } | { refusal: Refusal } {
  try {
    return { message: decodeMessage(key, value) };
  } catch (error) {
    const { code, message, recordedAs } = error as RejectedMessage;
    return { refusal: { code, reason: message, recordedAs } };
  }
}

/** What a dead letter repeats of a message whose bytes can't be read. */
export function unreadable(received: Received): Message<unknown> {
  return {
    key: received.key?.toString('utf8', 0, maxKeyBytes) ?? '',
    lineage: lineageOfPlace(placeOf(received)),
    value: { base64: received.value?.toString('base64') ?? '' },
  };
}

/** The dead letter with its message. One that would be too large has the hash of the message and its place instead. */
export function bytesOfLetter(letter: DeadLetter, { value, partition, offset }: Received): Buffer {
  const place = { partition, offset: String(offset) };
  const whole = Buffer.from(JSON.stringify({ ...letter, place }));
  if (whole.length <= 2 * maxMessageBytes) return whole;
  const sha256 = createHash('sha256')
    .update(value ?? '')
    .digest('hex');
  const { value: _left, ...rest } = letter;
  return Buffer.from(JSON.stringify({ ...rest, place, value_sha256: sha256 }));
}
