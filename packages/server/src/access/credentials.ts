import { ServerError } from '../errors.ts';
import type { ApiKeys } from './api-keys.ts';
import type { BlockedSubjects } from './blocked-subjects.ts';
import { Logins } from './logins/logins.ts';
import type { Principal } from './principal.ts';

/** Checks bearer credentials: API keys, and tokens of logins where the service accepts them. */
export class Credentials {
  readonly #keys: ApiKeys;
  readonly #blocked: BlockedSubjects;
  readonly #logins: Logins | undefined;

  constructor(keys: ApiKeys, blocked: BlockedSubjects, logins: Logins | undefined) {
    this.#keys = keys;
    this.#blocked = blocked;
    this.#logins = logins;
  }

  /**
   * Finds the caller that a credential belongs to.
   *
   * @throws {ServerError} `UNAUTHENTICATED`, also for a blocked subject; `ISSUER_UNAVAILABLE` for a login that can't be checked at the moment
   */
  async authenticate(credential: string): Promise<Principal> {
    const principal = await this.#identify(credential);
    if (principal.subject !== undefined) await this.#blocked.assertAllowed(principal.subject);
    return principal;
  }

  async #identify(credential: string): Promise<Principal> {
    if (!Logins.isToken(credential)) return await this.#keys.authenticate(credential);
    if (this.#logins !== undefined) return await this.#logins.authenticate(credential);
    throw new ServerError('UNAUTHENTICATED', 'this service accepts API keys, and no tokens of logins');
  }
}
