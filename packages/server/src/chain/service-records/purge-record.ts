import type { EventItem } from '../batch.ts';
import { principalEvent } from './service-event.ts';

/** A dead letter whose bytes are erased. */
export interface PurgedDeadLetter {
  readonly id: string;
  readonly reason: string;
  /** SHA-256 of the bytes, hex. */
  readonly raw_sha256: string;
}

/** Who purges dead letters, when, and which filters were given. */
export interface Purge {
  /** Principal of the operator. */
  readonly by: string;
  /** Milliseconds since the epoch. */
  readonly now: number;
  readonly reason?: string | undefined;
  readonly topic?: string | undefined;
  readonly before?: string | undefined;
}

/** The `audit.dead_letters_purged` of these dead letters, with the hash of each. */
export function purgeRecord(
  tenantId: string,
  deadLetters: readonly PurgedDeadLetter[],
  { by, now, reason, topic, before }: Purge,
): EventItem {
  return principalEvent(
    { by, now, chain: tenantId },
    {
      event_type: 'audit.dead_letters_purged',
      severity: 'warning',
      target_type: 'dead_letters',
      target_id: tenantId,
      metadata: {
        count: deadLetters.length,
        // One text per dead letter: the number of an event's members is limited, and there may be many dead letters.
        letters: deadLetters.map(({ id, reason: code, raw_sha256 }) => `${id} ${code} sha256:${raw_sha256}`),
        asked: {
          ...(reason !== undefined && { reason }),
          ...(topic !== undefined && { topic }),
          ...(before !== undefined && { before }),
        },
      },
    },
  );
}
