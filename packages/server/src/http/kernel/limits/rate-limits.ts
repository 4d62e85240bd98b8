import type { FastifyReply, FastifyRequest } from 'fastify';
import { holderOf, type Principal } from '../../../access/principal.ts';
import { HttpProblem } from '../problems.ts';
import { networkOf } from './client-address.ts';
import { type Rate, type Taken, TokenBuckets } from './token-buckets.ts';

/** How many requests clients may make. Each replica counts for itself, in its memory. */
export interface RateLimitOptions {
  /**
   * Of each API key, each login and each viewer token; all viewer tokens of one key together have ten times the rate of the key. A session of the
   * console counts as its key or login.
   * @defaultValue no limit
   */
  readonly callers?: Rate | undefined;
  /** Limits of single callers, instead of `callers`, by principal: `key:0123456789ab`. @defaultValue none */
  readonly exceptions?: ReadonlyMap<string, Rate> | undefined;
  /**
   * Of each network address: requests without a credential, except for probes and sign-ins, and requests whose credential is refused.
   * A request with a valid credential never counts here, so one client behind a proxy can't block the others.
   * @defaultValue no limit
   */
  readonly addresses?: Rate | undefined;
}

/** How many times the rate of an API key all its viewer tokens have together. */
const viewerFactor = 10;

/** A bucket from which a request takes a token. */
interface Bucket {
  /** The name of its policy in the headers. */
  readonly policy: string;
  readonly id: string;
  /** No limit where undefined. */
  readonly rate: Rate | undefined;
  /** Whose it is, for the message. */
  readonly who: string;
}

/** Limits the rate of requests with token buckets, and tells clients about it (draft-ietf-httpapi-ratelimit-headers-10). */
export class RateLimits {
  readonly #options: RateLimitOptions;
  readonly #callers: TokenBuckets;
  readonly #addresses: TokenBuckets;

  constructor(options: RateLimitOptions, now: () => number) {
    this.#options = options;
    this.#callers = new TokenBuckets(now);
    this.#addresses = new TokenBuckets(now);
  }

  /**
   * Counts a request of an authenticated caller.
   *
   * @throws {HttpProblem} `RATE_LIMITED`
   */
  countCaller(principal: Principal, reply: FastifyReply): void {
    const { id, viewer } = principal;
    const buckets: Bucket[] = [{ policy: 'key', id, rate: this.#rateOf(id), who: 'this key or login' }];
    if (viewer !== undefined) {
      // A visitor gets a new token each time that it loads the page, and would get a new rate with it.
      const rate = timesRate(this.#rateOf(viewer.issuer), viewerFactor);
      const who = 'all viewer tokens of the API key together';
      buckets.push({ policy: 'viewers', id: holderOf(principal), rate, who });
    }
    this.#count(buckets, reply);
  }

  #rateOf(id: string): Rate | undefined {
    const { callers, exceptions } = this.#options;
    return exceptions?.get(id) ?? callers;
  }

  #count(buckets: readonly Bucket[], reply: FastifyReply): void {
    const counted: (Bucket & { readonly rate: Rate; readonly taken: Taken })[] = [];
    for (const bucket of buckets) {
      const { id, rate } = bucket;
      if (rate === undefined) continue;
      const taken = this.#callers.take(id, rate);
      counted.push({ ...bucket, rate, taken });
      // What one token is refused takes nothing from the others.
      if (!taken.allowed) break;
    }
    if (counted.length === 0) return;
    const headers = counted.map(({ policy, rate, taken }) => rateHeaders(policy, rate, taken));
    for (const name of ['ratelimit-policy', 'ratelimit'] as const)
      reply.header(name, headers.map((each) => each[name]).join(', '));
    const refused = counted.find(({ taken }) => !taken.allowed);
    if (refused !== undefined)
      throw limited(
        refused.taken,
        `${refused.who} may make ${textOf(refused.rate)}: wait, and send it again`,
      );
  }

  /**
   * Counts a request of a client that is not known.
   *
   * @throws {HttpProblem} `RATE_LIMITED`
   */
  countAddress(request: FastifyRequest, reply: FastifyReply): void {
    const { addresses: rate } = this.#options;
    if (rate === undefined) return;
    const taken = this.#addresses.take(networkOf(request), rate);
    reply.headers(rateHeaders('address', rate, taken));
    if (!taken.allowed)
      throw limited(
        taken,
        `an address may make ${textOf(rate)} without a valid credential: wait, and send it again`,
      );
  }
}

/** The problem of a request beyond a limit. */
export function limited({ waitMs }: Taken, detail: string): HttpProblem {
  return new HttpProblem('RATE_LIMITED', detail, { headers: { 'retry-after': seconds(waitMs) } });
}

/** The policy has the size of the bucket and the time in which it fills; the state has what is left and when it is full again. */
function rateHeaders(policy: string, { perSecond, burst }: Rate, taken: Taken) {
  return {
    'ratelimit-policy': `"${policy}";q=${burst};w=${seconds((1_000 * burst) / perSecond)}`,
    ratelimit: `"${policy}";r=${taken.remaining};t=${seconds(taken.fullInMs)}`,
  };
}

/** Whole seconds from 1: a client that waits for 0 seconds would be refused again. */
function seconds(ms: number): string {
  return String(Math.max(1, Math.ceil(ms / 1_000 - 1e-6)));
}

function timesRate(rate: Rate | undefined, factor: number): Rate | undefined {
  return rate && { perSecond: rate.perSecond * factor, burst: rate.burst * factor };
}

function textOf({ perSecond, burst }: Rate): string {
  // A rate below one a second was written as a rate a minute.
  const [count, time] = perSecond < 1 ? [perSecond * 60, 'minute'] : [perSecond, 'second'];
  return `${Number(count.toFixed(2))} requests per ${time}, and ${burst} at once`;
}
