import { ServerError } from '../errors.ts';
import type { ApiKeys } from './api-keys.ts';
import type { BlockedSubjects } from './blocked-subjects.ts';
import { Logins } from './logins/logins.ts';
import type { Principal } from './principal.ts';
import type { ConsoleSession, ConsoleSessions } from './sessions/console-sessions.ts';
import { isViewerToken, type ViewerTokens } from './viewer-tokens/viewer-tokens.ts';

interface CredentialBooks {
  readonly keys: ApiKeys;
  readonly subjects: BlockedSubjects;
  readonly sessions: ConsoleSessions;
  readonly viewerTokens: ViewerTokens;
}

/** Checks credentials: API keys, viewer tokens, tokens of logins where the service accepts them, and cookies of the console's sessions. */
export class Credentials {
  readonly #keys: ApiKeys;
  readonly #blocked: BlockedSubjects;
  readonly #sessions: ConsoleSessions;
  readonly #viewerTokens: ViewerTokens;
  readonly #logins: Logins | undefined;

  constructor({ keys, subjects, sessions, viewerTokens }: CredentialBooks, logins: Logins | undefined) {
    this.#keys = keys;
    this.#blocked = subjects;
    this.#sessions = sessions;
    this.#viewerTokens = viewerTokens;
    this.#logins = logins;
  }

  /**
   * Finds the caller that a credential belongs to.
   *
   * @throws {ServerError} `UNAUTHENTICATED`, also for a blocked subject; `ISSUER_UNAVAILABLE` for a login that can't be checked at the moment
   */
  async authenticate(credential: string): Promise<Principal> {
    const principal = await this.#identify(credential);
    await this.assertAllowed(principal);
    return principal;
  }

  /**
   * Finds the caller that an API key belongs to. Any token is refused.
   *
   * @throws {ServerError} `UNAUTHENTICATED`, also for a blocked subject
   */
  async authenticateKey(key: string): Promise<Principal> {
    const principal = await this.#keys.authenticate(key);
    await this.assertAllowed(principal);
    return principal;
  }

  /** @throws {ServerError} `UNAUTHENTICATED` for a caller whose subject is blocked */
  async assertAllowed({ subject }: Principal): Promise<void> {
    if (subject !== undefined) await this.#blocked.assertAllowed(subject);
  }

  /** What the names of this service's cookies end with. */
  get cookieLabel(): string {
    return this.#sessions.cookieLabel;
  }

  /**
   * Finds the session that a cookie belongs to.
   *
   * @throws {ServerError} `UNAUTHENTICATED`, also for a blocked subject
   */
  async session(secret: string): Promise<ConsoleSession> {
    const session = await this.#sessions.find(secret);
    if (session === undefined)
      throw new ServerError('UNAUTHENTICATED', 'the session has ended: sign in again');
    await this.assertAllowed(session.principal);
    return session;
  }

  async #identify(credential: string): Promise<Principal> {
    if (isViewerToken(credential)) return await this.#viewerTokens.authenticate(credential);
    if (!Logins.isToken(credential)) return await this.#keys.authenticate(credential);
    if (this.#logins !== undefined) return await this.#logins.authenticate(credential);
    throw new ServerError('UNAUTHENTICATED', 'this service accepts API keys, and no tokens of logins');
  }
}
