import { createLocalJWKSet, errors, type JSONWebKeySet, type JWTHeaderParameters } from 'jose';
import { ServerError } from '../../errors.ts';
import { type FetchLike, fetchObject, parseIssuerUrl } from './issuer-fetch.ts';

/** How old the keys get before they are read again, ms. A key that the issuer withdraws works for this long. */
const refreshMs = 10 * 60 * 1_000;
/** Least time between two attempts, ms. Tokens with unknown keys can't cause more requests to the issuer. */
const cooldownMs = 10_000;
/** How long the keys are used while the issuer does not answer, ms. */
const maxStaleMs = 24 * 60 * 60 * 1_000;
const maxKeys = 100;

type KeySet = ReturnType<typeof createLocalJWKSet>;

export interface IssuerKeysOptions {
  readonly issuer: string;
  readonly jwksUri?: string | undefined;
  readonly fetch: FetchLike;
  readonly now: () => number;
}

/**
 * The issuer's public keys. They are read when a token first needs them, again every ten minutes, and when a token names a key that
 * is not known. `jose` has a cache of its own (`createRemoteJWKSet`), but it stops accepting known keys while the issuer is down,
 * and asks again for every token while the issuer fails. So this class fetches, and `jose` chooses the key.
 */
export class IssuerKeys {
  readonly #options: IssuerKeysOptions;
  /** Owned by this object; replaced as a whole. */
  #known: { readonly keys: KeySet; readonly readAt: number } | undefined;
  #lastAttempt = Number.NEGATIVE_INFINITY;
  #lastFailure: unknown;
  /** The attempt that is running. All callers wait for the same one. */
  #reading: Promise<void> | undefined;

  constructor(options: IssuerKeysOptions) {
    this.#options = options;
  }

  /**
   * The key of a token.
   *
   * @throws {ServerError} `ISSUER_UNAVAILABLE` where the issuer would have to be asked, and does not answer
   * @throws an error of `jose` where the issuer has no such key
   */
  async keyOf(header: JWTHeaderParameters): ReturnType<KeySet> {
    const { now } = this.#options;
    if (this.#known === undefined || now() - this.#known.readAt >= maxStaleMs) {
      await this.#read();
      if (this.#known === undefined || now() - this.#known.readAt >= maxStaleMs) throw this.#unavailable();
    } else if (this.#hasPassed(refreshMs, this.#known.readAt)) {
      // The known keys go on to work while the issuer is slow or down.
      void this.#read();
    }
    const { keys } = this.#known;
    try {
      return await keys(header);
    } catch (error) {
      if (!(error instanceof errors.JWKSNoMatchingKey)) throw error;
      await this.#read();
      if (this.#known.keys !== keys) return await this.#known.keys(header);
      // The issuer may have this key, and can't be asked.
      if (this.#lastFailure !== undefined) throw this.#unavailable();
      throw error;
    }
  }

  /** Reads the keys, unless they were read or attempted a moment ago. Never rejects. */
  #read(): Promise<void> {
    if (this.#reading !== undefined) return this.#reading;
    const { now } = this.#options;
    if (!this.#hasPassed(cooldownMs, this.#lastAttempt)) return Promise.resolve();
    this.#lastAttempt = now();
    this.#reading = this.#fetchKeys()
      .then(
        (keys) => {
          this.#known = { keys, readAt: now() };
          this.#lastFailure = undefined;
        },
        (error: unknown) => {
          this.#lastFailure = error;
        },
      )
      .finally(() => {
        this.#reading = undefined;
      });
    return this.#reading;
  }

  async #fetchKeys(): Promise<KeySet> {
    const { fetch } = this.#options;
    const set = await fetchObject(this.#options.jwksUri ?? (await this.#discover()), fetch);
    const { keys } = set;
    if (!Array.isArray(keys) || keys.length > maxKeys)
      throw new ServerError(
        'ISSUER_UNAVAILABLE',
        `the key set of the issuer must have at most ${maxKeys} keys`,
      );
    return createLocalJWKSet(set as unknown as JSONWebKeySet);
  }

  /** OpenID Connect Discovery 1.0, section 4: the document must name the issuer that was asked for. */
  async #discover(): Promise<string> {
    const { issuer, fetch } = this.#options;
    const address = `${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`;
    const document = await fetchObject(address, fetch);
    if (document.issuer !== issuer)
      throw new ServerError('ISSUER_UNAVAILABLE', `${address} names another issuer than ${issuer}`);
    if (typeof document.jwks_uri !== 'string')
      throw new ServerError('ISSUER_UNAVAILABLE', `${address} names no jwks_uri`);
    parseIssuerUrl(document.jwks_uri, 'jwks_uri');
    return document.jwks_uri;
  }

  /** A clock that was set back counts as time that has passed: otherwise the keys would wait until it has caught up. */
  #hasPassed(ms: number, since: number): boolean {
    const elapsed = this.#options.now() - since;
    return elapsed < 0 || elapsed >= ms;
  }

  #unavailable(): ServerError {
    return new ServerError(
      'ISSUER_UNAVAILABLE',
      'the keys of the issuer of logins can not be read, so this token can not be checked; API keys go on to work',
      { cause: this.#lastFailure },
    );
  }
}
