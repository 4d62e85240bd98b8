import { createHash, randomBytes } from 'node:crypto';
import { ServerError } from '../../errors.ts';
import type { ApiKeys } from '../api-keys.ts';
import type { Principal } from '../principal.ts';

/** How long a link works, ms. */
const validMs = 10 * 60_000;
/** How long the key of a used link works, ms: as long as its session at the most. */
const keyMs = 12 * 60 * 60_000;

/**
 * Links that sign a person in to the console one time, for the command that starts a service on the person's own machine. They live
 * in the memory of this process: a link ends with the process, and no other replica accepts it.
 */
export class SignInLinks {
  readonly #keys: ApiKeys;
  readonly #now: () => number;
  /** Until when each link works that was not used, by the hash of its secret. Owned by this object. */
  readonly #unused = new Map<string, number>();

  constructor(keys: ApiKeys, now: () => number) {
    this.#keys = keys;
    this.#now = now;
  }

  /** Makes a link, and returns its secret. */
  create(): string {
    const secret = randomBytes(32).toString('base64url');
    this.#unused.set(hash(secret), this.#now() + validMs);
    return secret;
  }

  /**
   * Uses a link: the caller gets the rights of a new key with the scope `admin`, which is on record and can be revoked like every key. A
   * second use is refused, also one at the same time.
   *
   * @throws {ServerError} `UNAUTHENTICATED`
   */
  async use(secret: string): Promise<Principal> {
    const until = this.#unused.get(hash(secret));
    // Before the first await, so that two uses at once don't both find it.
    this.#unused.delete(hash(secret));
    if (until === undefined) throw refuse('the link was used already, or it is not of this process');
    if (until <= this.#now()) throw refuse('the link is more than ten minutes old');
    const { key } = await this.#keys.create({
      name: 'console sign-in link',
      scopes: ['admin'],
      expiresAt: new Date(this.#now() + keyMs),
    });
    return await this.#keys.authenticate(key);
  }
}

function hash(secret: string): string {
  return createHash('sha256').update(secret).digest('hex');
}

function refuse(what: string): ServerError {
  return new ServerError(
    'UNAUTHENTICATED',
    `${what}: start the command again for a new one, or sign in with the API key that it printed`,
  );
}
