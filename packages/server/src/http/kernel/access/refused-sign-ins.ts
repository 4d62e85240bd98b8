import { type Taken, TokenBuckets } from '../limits/token-buckets.ts';

/** Refused sign-ins of one address. */
const addressRate = { perSecond: 10 / 60, burst: 10 };
/** Refused sign-ins of all addresses that are recorded: a client can have more addresses than the service can count. */
const recordRate = { perSecond: 1, burst: 60 };

/** Which refused sign-ins are recorded. A client without any credential causes them, and a record is never deleted. */
export class RefusedSignIns {
  readonly #addresses: TokenBuckets;
  readonly #records: TokenBuckets;

  constructor(now: () => number) {
    this.#addresses = new TokenBuckets(now);
    this.#records = new TokenBuckets(now, 1);
  }

  /** Counts one of an address. Only one that is allowed may be recorded. */
  take(network: string): Taken & { readonly isRecorded: boolean } {
    const taken = this.#addresses.take(network, addressRate);
    return { ...taken, isRecorded: taken.allowed && this.#records.take('all', recordRate).allowed };
  }
}
