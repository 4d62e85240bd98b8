import { AsyncLocalStorage } from 'node:async_hooks';
import { createHash } from 'node:crypto';
import type { Ids } from './ids.ts';

/** One piece of work whose ids are the same whenever it is done again. */
interface Work {
  readonly name: string;
  readonly startedAt: number;
  /** How many ids each purpose has got. */
  readonly counts: Map<string, number>;
}

const current = new AsyncLocalStorage<Work>();

/**
 * Does a piece of work that may be done again after a crash. The {@link RepeatableIds} that it draws are derived from its name, so events
 * and objects of both times have the same ids, and are one.
 *
 * @param name no other work may have it
 * @param startedAt the same at each time: milliseconds since the epoch
 */
export function withRepeatableIds<T>(name: string, startedAt: number, work: () => Promise<T>): Promise<T> {
  return current.run({ name, startedAt, counts: new Map() }, work);
}

/** Ids of one service: derived from the work that is being done, and new ones outside of it. */
export class RepeatableIds implements Ids {
  readonly #service: string;
  readonly #fresh: Ids;

  constructor(service: string, fresh: Ids) {
    this.#service = service;
    this.#fresh = fresh;
  }

  /**
   * The id depends on the purpose and not on what was drawn before: work that goes another way the second time, because it finds more
   * done, gives the same steps the same ids.
   */
  next(prefix?: string, purpose = ''): string {
    const work = current.getStore();
    if (work === undefined) return this.#fresh.next(prefix);
    const uuid = derivedId(work.startedAt, this.#draw(work, `${prefix ?? ''} ${purpose}`));
    return prefix === undefined ? uuid : `${prefix}-${uuid}`;
  }

  traceId(): string {
    const work = current.getStore();
    return work === undefined ? this.#fresh.traceId() : this.#draw(work, 'trace').toString('hex', 0, 16);
  }

  spanId(): string {
    const work = current.getStore();
    return work === undefined ? this.#fresh.spanId() : this.#draw(work, 'span').toString('hex', 0, 8);
  }

  #draw({ name, counts }: Work, purpose: string): Buffer {
    const count = counts.get(purpose) ?? 0;
    counts.set(purpose, count + 1);
    return createHash('sha256')
      .update(JSON.stringify([name, this.#service, purpose, count]))
      .digest();
  }
}

/** A UUIDv7 (RFC 9562) whose random bits come from a hash. */
function derivedId(time: number, hash: Buffer): string {
  const bytes = Buffer.alloc(16);
  // A topic that this platform did not create may have any time in its messages.
  bytes.writeUIntBE(Math.min(Math.max(time, 0), 2 ** 48 - 1), 0, 6);
  hash.copy(bytes, 6, 0, 10);
  bytes[6] = 0x70 | (bytes[6]! & 0x0f);
  bytes[8] = 0x80 | (bytes[8]! & 0x3f);
  const hex = bytes.toString('hex');
  return [8, 12, 16, 20, 32].map((end, at) => hex.slice([0, 8, 12, 16, 20][at], end)).join('-');
}
