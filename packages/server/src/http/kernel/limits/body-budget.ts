import { HttpProblem } from '../problems.ts';

/** What every request with a body costs, bytes: so one key can't take all places in the queue with tiny submissions either. */
const baseCost = 64 * 1024;

/** Estimates of what parsing costs, bytes: of a byte of text, of a comma, and of an opening bracket. */
const costs = { text: 3, comma: 24, bracket: 72 };

/**
 * What the events of a body cost in memory, from the first parse to the commit, in bytes. An estimate: the texts are there
 * several times, and an empty object of three bytes takes twenty times as much once it is parsed.
 */
export function costOfEvents(body: Uint8Array): number {
  let cost = costs.text * body.length;
  for (let index = 0; index < body.length; index++) {
    const byte = body[index]!;
    if (byte === 0x2c) cost += costs.comma;
    else if (byte === 0x5b || byte === 0x7b) cost += costs.bracket;
  }
  return cost;
}

/** What one request holds of the budget. */
export interface Lease {
  /**
   * Sets what the request holds, apart from its base cost.
   *
   * @throws {HttpProblem} `OVERLOADED`; `TOO_LARGE` for more than the whole budget
   */
  hold(bytes: number): void;
  /** Gives everything back. Safe to call twice. */
  release(): void;
}

/**
 * Bounds the memory of all bodies that are being read, unpacked, parsed or chained, over all clients. A second budget bounds the
 * answers that their clients have not read yet.
 *
 * The budget is shared by dynamic thresholds (Choudhury and Hahne, 1998): a key that holds something may take more only while
 * it holds no more than what stays free. One busy key gets half of the budget, two get a third each, and something always
 * stays free for the next key. A key that holds nothing may take all that is free.
 */
export class BodyBudget {
  readonly #max: number;
  readonly #what: string;
  /** Bytes held by each key, and by all. Owned by this object. */
  readonly #held = new Map<string, number>();
  #total = 0;

  /** @param what what the bytes are, in the plural, for messages */
  constructor(maxBytes: number, what = 'submissions') {
    this.#max = maxBytes;
    this.#what = what;
  }

  /** Most that one request can hold beside its base cost. */
  get largest(): number {
    return this.#max - baseCost;
  }

  get held(): number {
    return this.#total;
  }

  /** @throws {HttpProblem} `OVERLOADED` */
  open(key: string): Lease {
    let current = 0;
    let isOpen = true;
    const hold = (bytes: number) => {
      if (!isOpen) return;
      if (bytes > current) this.#assertRoom(key, current, bytes);
      this.#add(key, bytes - current);
      current = bytes;
    };
    hold(baseCost);
    return {
      hold: (bytes) => hold(baseCost + bytes),
      release: () => {
        hold(0);
        isOpen = false;
      },
    };
  }

  #assertRoom(key: string, current: number, wanted: number): void {
    if (wanted > this.#max) {
      const message =
        'the batch would take more memory than the service has for bodies; send it in smaller parts';
      throw new HttpProblem('TOO_LARGE', message, { headers: { connection: 'close' } });
    }
    const others = (this.#held.get(key) ?? 0) - current;
    const free = this.#max - (this.#total - current + wanted);
    if (others === 0 ? free >= 0 : others + wanted <= free) return;
    throw new HttpProblem('OVERLOADED', `too many bytes of ${this.#what} are waiting; try again later`, {
      // The service does not read the rest of the body, so the connection can't be used again.
      headers: { 'retry-after': '1', connection: 'close' },
    });
  }

  #add(key: string, bytes: number): void {
    this.#total += bytes;
    const held = (this.#held.get(key) ?? 0) + bytes;
    if (held === 0) this.#held.delete(key);
    else this.#held.set(key, held);
  }
}
