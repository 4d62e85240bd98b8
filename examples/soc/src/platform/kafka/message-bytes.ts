import { createHash } from 'node:crypto';
import { z } from 'zod';
import type { Lineage } from '../lineage.ts';
import { type Message, RejectedMessage } from '../topics.ts';
import { maxKeyBytes, maxMessageBytes } from './topic-settings.ts';

const text = z.string().min(1).max(500);

/** What every message must have, whoever wrote it. Its value is checked by the service that reads it. */
const form = z.object({
  lineage: z.object({
    tenantId: text,
    correlationId: text,
    traceId: z.string().regex(/^[0-9a-f]{32}$/),
    spanId: z
      .string()
      .regex(/^[0-9a-f]{16}$/)
      .optional(),
    parentEventId: z.uuid().optional(),
    alertId: text.optional(),
    investigationId: text.optional(),
  }),
  value: z.unknown(),
});

/** @throws {RejectedMessage} `MESSAGE_TOO_LARGE` */
export function encodeMessage({ key, lineage, value }: Message<unknown>): Buffer {
  if (Buffer.byteLength(key) > maxKeyBytes) {
    throw new RejectedMessage(
      'MESSAGE_TOO_LARGE',
      `the key of the message has more than ${maxKeyBytes} bytes`,
    );
  }
  const bytes = Buffer.from(JSON.stringify({ lineage, value }));
  if (bytes.length > maxMessageBytes) {
    throw new RejectedMessage(
      'MESSAGE_TOO_LARGE',
      `the message has ${bytes.length} bytes, the limit is ${maxMessageBytes}`,
    );
  }
  return bytes;
}

/** @throws {RejectedMessage} `MESSAGE_UNREADABLE` for bytes that are not a message of the platform */
export function decodeMessage(
  key: Buffer | null | undefined,
  bytes: Buffer | null | undefined,
): Message<unknown> {
  // The dead letter repeats the key, and must not be larger than its topic permits.
  if (key && key.length > maxKeyBytes) throw unreadable(`the key has more than ${maxKeyBytes} bytes`);
  let json: unknown;
  try {
    json = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes ?? undefined));
  } catch {
    throw unreadable('the bytes are not JSON in UTF-8');
  }
  const parsed = form.safeParse(json);
  if (!parsed.success) throw unreadable(`there is no valid /${parsed.error.issues[0]!.path.join('/')}`);
  return { key: key?.toString() ?? '', ...parsed.data };
}

function unreadable(reason: string): RejectedMessage {
  return new RejectedMessage('MESSAGE_UNREADABLE', `not a message of the platform: ${reason}`);
}

/** The lineage of a message that states none: the ids are derived from its place, so that they are the same at each delivery. */
export function lineageOfPlace(place: string): Lineage {
  const hash = createHash('sha256').update(place).digest('hex');
  return { tenantId: 'unknown', correlationId: `unreadable-${hash.slice(0, 32)}`, traceId: hash.slice(32) };
}
