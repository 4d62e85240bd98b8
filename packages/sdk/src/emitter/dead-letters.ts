import type { AuditEvent } from '@tallystick/event';
import type { Clock } from '../clock.ts';
import type { Delivery } from '../delivery/delivery.ts';
import type { Entry, Waiter } from '../delivery/entry.ts';
import type { BuriedEvent } from '../spool/protocol.ts';

/** An event that the service refused with its whole batch, and that the spool keeps for somebody to look at. */
export interface SpooledDeadLetter {
  /** Names the letter within its spool; ascending in the order in which they were refused. */
  readonly place: number;
  /** `audit_id` of the event. */
  readonly id: string;
  readonly tenantId: string;
  readonly eventType: string;
  readonly emittedAt: Date;
  /** What the service answered, such as `status 400`. */
  readonly reason: string;
  /** The event in its wire form, without the secrets that redaction finds. */
  readonly event: AuditEvent;
}

/** What became of dead letters that were emitted again. */
export interface EmitAgainReport {
  /** The service has them now. */
  readonly delivered: number;
  /** Refused again. */
  readonly refused: number;
  /** Not settled within the deadline. They stay on the list, and emitting them once more does no harm. */
  readonly waiting: number;
}

/** Which dead letters to give. */
export interface DeadLetterListOptions {
  /** Letters at most. @defaultValue 100 */
  readonly limit?: number;
  /** Only those behind this place. @defaultValue from the first */
  readonly after?: number;
}

interface Letters {
  letters(after: number, limit: number): Promise<readonly BuriedEvent[]>;
  purge(places: readonly number[] | 'all'): Promise<number>;
}

/** Events emitted again at once; as many as one batch takes. */
const atOnce = 1_000;

/**
 * What the spool keeps of batches that the service refused for good (any 4xx that no retry changes). Their loss was
 * declared when they were refused. All methods reject with an `AuditError` where the spool is out of use; an emitter
 * without a spool has no dead letters.
 */
export class SpoolDeadLetters {
  readonly #letters: Letters | undefined;
  readonly #delivery: Delivery;
  readonly #clock: Clock;

  constructor(letters: Letters | undefined, delivery: Delivery, clock: Clock) {
    this.#letters = letters;
    this.#delivery = delivery;
    this.#clock = clock;
  }

  /** The oldest first. */
  async list({ limit = 100, after = 0 }: DeadLetterListOptions = {}): Promise<readonly SpooledDeadLetter[]> {
    const buried = (await this.#letters?.letters(after, limit)) ?? [];
    return buried.map(({ place, id, tenantId, eventType, createdAt, reason, text }) => {
      const event = JSON.parse(text) as AuditEvent;
      return { place, id, tenantId, eventType, emittedAt: new Date(createdAt), reason, event };
    });
  }

  /**
   * Emits all of them again, with their identity, content and time, under new numbers: the gap that declared their loss
   * stays in the chain, and they follow it. What the service then has, or refuses once more, leaves the list; a second
   * refusal of the whole batch puts it there anew.
   *
   * @param deadlineMs what to wait at most for each thousand of them; a service that was away is probed every 15 s
   */
  async emitAgain({ deadlineMs = 20_000 }: { readonly deadlineMs?: number } = {}): Promise<EmitAgainReport> {
    const total = { delivered: 0, refused: 0, waiting: 0 };
    // What is refused again stands behind the others, once more; there this ends.
    const seen = new Set<string>();
    for (let last = 0; total.waiting === 0; ) {
      const letters = (await this.#letters?.letters(last, atOnce)) ?? [];
      const fresh = letters.filter(({ id, tenantId }) => !seen.has(`${tenantId} ${id}`));
      if (fresh.length === 0) break;
      for (const { id, tenantId } of fresh) seen.add(`${tenantId} ${id}`);
      last = fresh.at(-1)!.place;
      const { delivered, refused } = await this.#emit(fresh, deadlineMs);
      await this.#letters?.purge([...delivered, ...refused]);
      total.delivered += delivered.length;
      total.refused += refused.length;
      total.waiting += fresh.length - delivered.length - refused.length;
    }
    return total;
  }

  /** Deletes these, or all of them. @returns how many there were */
  async purge(letters?: readonly Pick<SpooledDeadLetter, 'place'>[]): Promise<number> {
    return (await this.#letters?.purge(letters?.map(({ place }) => place) ?? 'all')) ?? 0;
  }

  async #emit(letters: readonly BuriedEvent[], deadlineMs: number) {
    const delivered: number[] = [];
    const refused: number[] = [];
    await new Promise<void>((resolve) => {
      const cancel = this.#clock.schedule(deadlineMs, resolve, true);
      let open = letters.length;
      const settled = () => {
        if (--open > 0) return;
        cancel();
        resolve();
      };
      for (const letter of letters) {
        const waiter: Waiter = {
          settle: () => {
            delivered.push(letter.place);
            settled();
          },
          fail: ({ outcome }) => {
            if (outcome === 'rejected') refused.push(letter.place);
            settled();
          },
        };
        // Where there is no room, the letter stays.
        if (this.#delivery.accept(entryOf(letter), waiter) !== undefined) settled();
      }
    });
    // Copies: what settles after the deadline is not taken off the list, and does no harm there.
    return { delivered: [...delivered], refused: [...refused] };
  }
}

function entryOf({ id, tenantId, eventType, createdAt, text }: BuriedEvent): Entry {
  return {
    ...{ id, tenantId, eventType, createdAt, text, bytes: text.length },
    ...{ sequence: 0, waiter: undefined, sent: false, prepared: true, row: 0 },
  };
}
