import type { AuditEvent } from '@tallystick/event';
import type { Clock } from '../clock.ts';
import type { Delivery } from '../delivery/delivery.ts';
import type { PendingEvent, Waiter } from '../event/pending-event.ts';
import type { DeadLetterStore } from '../spool/dead-letter-store.ts';
import type { StoredDeadLetter } from '../spool/requests.ts';

/** An event that the service refused together with its whole batch. The spool keeps it for an operator. */
export interface SpooledDeadLetter {
  /** Identifies the dead letter within its spool; ascending in the order in which events were refused. */
  readonly place: number;
  /** `audit_id` of the event. */
  readonly id: string;
  readonly tenantId: string;
  readonly eventType: string;
  readonly emittedAt: Date;
  /** The service's response, such as `status 400`. */
  readonly reason: string;
  /** The event in its wire form, without the secrets that redaction finds. */
  readonly event: AuditEvent;
}

/** The outcomes of dead letters that were emitted again. */
export interface EmitAgainReport {
  /** Events that the service now has. */
  readonly delivered: number;
  /** Events that were refused again. */
  readonly refused: number;
  /** Events without an outcome by the deadline. They stay dead letters, and may safely be emitted once more. */
  readonly waiting: number;
}

/** Which dead letters to return. */
export interface DeadLetterListOptions {
  /** How many, at most. @defaultValue 100 */
  readonly limit?: number;
  /** Only dead letters after this {@link SpooledDeadLetter.place}. @defaultValue from the first */
  readonly after?: number;
}

/** How many dead letters are emitted together; as many as fit in one batch. */
const chunkSize = 1_000;

/**
 * The events that the service refused permanently, with any 4xx status that is not retried. Their loss was declared when they
 * were refused. All methods reject with an `AuditError` if the spool can't be used. An emitter without a spool has no dead
 * letters.
 */
export class SpoolDeadLetters {
  readonly #store: DeadLetterStore | undefined;
  readonly #delivery: Delivery;
  readonly #clock: Clock;

  constructor(store: DeadLetterStore | undefined, delivery: Delivery, clock: Clock) {
    this.#store = store;
    this.#delivery = delivery;
    this.#clock = clock;
  }

  /** The dead letters, oldest first. */
  async list({ limit = 100, after = 0 }: DeadLetterListOptions = {}): Promise<readonly SpooledDeadLetter[]> {
    const stored = await this.#read(after, limit);
    return stored.map(({ place, id, tenantId, eventType, createdAt, reason, text }) => {
      const event = JSON.parse(text) as AuditEvent;
      return { place, id, tenantId, eventType, emittedAt: new Date(createdAt), reason, event };
    });
  }

  /**
   * Emits all dead letters again with the same id, content and time, but with new sequence numbers: the gap that declared their
   * loss stays in the chain. Events that the service now has, or refuses again, are removed from the list. If it refuses the
   * whole batch again, they become new dead letters.
   *
   * @param options `deadlineMs`: how long to wait for each thousand events, in milliseconds. The default (20000) is longer than
   *   the 15 s between two tries while the service is away.
   */
  async emitAgain({ deadlineMs = 20_000 }: { readonly deadlineMs?: number } = {}): Promise<EmitAgainReport> {
    const total = { delivered: 0, refused: 0, waiting: 0 };
    // Events that are refused again are appended to the list. The loop ends when it meets them.
    const seen = new Set<string>();
    for (let last = 0; total.waiting === 0; ) {
      const stored = await this.#read(last, chunkSize);
      const unseen = stored.filter(({ id, tenantId }) => !seen.has(`${tenantId} ${id}`));
      if (unseen.length === 0) break;
      for (const { id, tenantId } of unseen) seen.add(`${tenantId} ${id}`);
      last = unseen.at(-1)!.place;
      const { delivered, refused } = await this.#emit(unseen, deadlineMs);
      await this.#store?.purge([...delivered, ...refused]);
      total.delivered += delivered.length;
      total.refused += refused.length;
      total.waiting += unseen.length - delivered.length - refused.length;
    }
    return total;
  }

  /**
   * Deletes the given dead letters, or all of them.
   *
   * @returns how many were deleted
   */
  async purge(deadLetters?: readonly Pick<SpooledDeadLetter, 'place'>[]): Promise<number> {
    return (await this.#store?.purge(deadLetters?.map(({ place }) => place) ?? 'all')) ?? 0;
  }

  async #read(after: number, limit: number): Promise<readonly StoredDeadLetter[]> {
    return (await this.#store?.list(after, limit)) ?? [];
  }

  /** The places of the dead letters whose outcome is known by the deadline. */
  async #emit(deadLetters: readonly StoredDeadLetter[], deadlineMs: number) {
    const delivered: number[] = [];
    const refused: number[] = [];
    await new Promise<void>((resolve) => {
      const cancel = this.#clock.schedule(deadlineMs, resolve, true);
      let undecided = deadLetters.length;
      const decided = () => {
        if (--undecided > 0) return;
        cancel();
        resolve();
      };
      for (const deadLetter of deadLetters) {
        const waiter: Waiter = {
          chained: false,
          resolve: () => {
            delivered.push(deadLetter.place);
            decided();
          },
          reject: ({ outcome }) => {
            if (outcome === 'rejected') refused.push(deadLetter.place);
            decided();
          },
        };
        // If there is no room for it, it stays a dead letter.
        if (this.#delivery.accept(pendingEvent(deadLetter), waiter) !== undefined) decided();
      }
    });
    // Copies, because outcomes after the deadline are still added to the arrays.
    return { delivered: [...delivered], refused: [...refused] };
  }
}

function pendingEvent({ id, tenantId, eventType, createdAt, text }: StoredDeadLetter): PendingEvent {
  return {
    ...{ id, tenantId, eventType, createdAt, text, bytes: text.length },
    ...{ sequence: 0, waiter: undefined, sent: false, redacted: true, position: 0 },
  };
}
