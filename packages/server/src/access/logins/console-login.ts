import type { Configuration } from 'openid-client';
import { ServerError } from '../../errors.ts';
import type { Principal } from '../principal.ts';
import { boundedFetch, parseIssuerUrl } from './issuer-fetch.ts';
import { type LoginAttempt, LoginAttempts, pageOf } from './login-attempt.ts';
import type { ConsoleLoginOptions, LoginOptions } from './login-options.ts';
import { Logins } from './logins.ts';

/** How long a person may take at the provider, ms. */
const attemptMs = 10 * 60_000;
/** How old the provider's discovery document gets before it is read again, ms. */
const refreshMs = 10 * 60_000;
/** Least time between two attempts to read it, ms. */
const cooldownMs = 10_000;
const timeoutSeconds = 5;
/** Most answers of the provider that are exchanged for tokens at the same time. */
const maxExchanges = 32;

/** Where the browser goes next, and what it stores until the provider's answer. */
export interface StartedLogin {
  readonly location: string;
  /** For a cookie. */
  readonly attempt: string;
  /** When the attempt expires, ms since the epoch. */
  readonly until: number;
}

/**
 * Signs people in with a login of the OpenID provider: authorisation code with PKCE, state and nonce (OpenID Connect Core 1.0, RFC 9700).
 * `openid-client` communicates with the provider. The ID token is then checked like every other token of a login, by {@link Logins}, so a person has the
 * same subject, rights and tenants as with a bearer token.
 */
export class ConsoleLogin {
  readonly options: ConsoleLoginOptions;
  readonly #logins: LoginOptions;
  readonly #tokens: Logins;
  readonly #attempts: LoginAttempts;
  readonly #now: () => number;
  /** The provider as it was read last. Owned by this object. */
  #known: { readonly provider: Configuration; readonly readAt: number } | undefined;
  #reading: Promise<void> | undefined;
  #lastAttempt = Number.NEGATIVE_INFINITY;
  #exchanges = 0;

  /** @param macKey a secret of the service; all replicas have the same one */
  constructor(
    logins: LoginOptions & { readonly console: ConsoleLoginOptions },
    macKey: Uint8Array,
    now: () => number,
  ) {
    this.options = logins.console;
    this.#logins = logins;
    // An ID token is for the client, and an access token for the API. The service accepts neither instead of the other.
    this.#tokens = new Logins({ ...logins, audience: [this.options.clientId] }, { now });
    this.#attempts = new LoginAttempts(macKey, now);
    this.#now = now;
  }

  /**
   * Begins an attempt.
   *
   * @param page of the console, which opens afterwards. An attacker may have chosen it
   * @throws {ServerError} `ISSUER_UNAVAILABLE`
   */
  async start(page: string | undefined): Promise<StartedLogin> {
    const provider = await this.#provider();
    const oidc = await import('openid-client');
    const attempt: LoginAttempt = {
      state: oidc.randomState(),
      nonce: oidc.randomNonce(),
      verifier: oidc.randomPKCECodeVerifier(),
      page: pageOf(page),
      until: this.#now() + attemptMs,
    };
    const { redirectUri, scope } = this.options;
    const location = oidc.buildAuthorizationUrl(provider, {
      redirect_uri: redirectUri,
      scope,
      state: attempt.state,
      nonce: attempt.nonce,
      code_challenge: await oidc.calculatePKCECodeChallenge(attempt.verifier),
      code_challenge_method: 'S256',
    });
    return { location: location.href, attempt: this.#attempts.seal(attempt), until: attempt.until };
  }

  /**
   * Ends an attempt with the provider's answer.
   *
   * @param sealed the attempt of this browser
   * @param query the query of the address to which the provider has sent the browser. An attacker may have written it
   * @throws {ServerError} `UNAUTHENTICATED`; `FORBIDDEN` for a person without a scope or a tenant; `ISSUER_UNAVAILABLE`
   */
  async finish(
    sealed: string | undefined,
    query: string,
  ): Promise<{ readonly principal: Principal; readonly page: string; readonly until: number }> {
    const attempt = sealed === undefined ? undefined : this.#attempts.open(sealed);
    if (attempt === undefined)
      throw new ServerError(
        'UNAUTHENTICATED',
        'the attempt to sign in has expired, or another browser began it: begin again',
      );
    const principal = await this.#tokens.authenticate(await this.#exchange(attempt, query));
    if (principal.scopes.length === 0 || principal.tenants?.length === 0)
      throw new ServerError('FORBIDDEN', 'the login has no scope, or no tenant');
    const until = this.#now() + this.options.sessionSeconds * 1_000;
    return { principal, page: attempt.page, until };
  }

  /** The ID token for the code in the provider's answer. Its nonce, issuer, audience and times are checked, and its signature is not. */
  async #exchange({ state, nonce, verifier }: LoginAttempt, query: string): Promise<string> {
    const provider = await this.#provider();
    const { authorizationCodeGrant } = await import('openid-client');
    if (this.#exchanges >= maxExchanges)
      throw new ServerError('ISSUER_UNAVAILABLE', 'too many people are signing in at once');
    this.#exchanges++;
    try {
      // The address is the configured one. That of the request depends on headers.
      const answered = new URL(`${this.options.redirectUri}?${query}`);
      const tokens = await authorizationCodeGrant(provider, answered, {
        expectedState: state,
        expectedNonce: nonce,
        pkceCodeVerifier: verifier,
        idTokenExpected: true,
      });
      // OpenID Connect Core 1.0, section 3.1.3.7. The library compares it only for a token with several audiences.
      const { azp } = tokens.claims()!;
      if (azp !== undefined && azp !== this.options.clientId)
        throw new Error('the ID token was issued to another client');
      return tokens.id_token!;
    } catch (cause) {
      throw readFailure(cause);
    } finally {
      this.#exchanges--;
    }
  }

  /** @throws {ServerError} `ISSUER_UNAVAILABLE` */
  async #provider(): Promise<Configuration> {
    const elapsed = this.#now() - (this.#known?.readAt ?? Number.NEGATIVE_INFINITY);
    // While the provider is down, the document that was read last is used.
    if (elapsed < 0 || elapsed >= refreshMs) await this.#read();
    if (this.#known === undefined)
      throw new ServerError('ISSUER_UNAVAILABLE', 'the provider of logins can not be reached');
    return this.#known.provider;
  }

  /** Reads the discovery document, unless that was attempted a moment ago. Never rejects. */
  #read(): Promise<void> {
    if (this.#reading !== undefined) return this.#reading;
    const since = this.#now() - this.#lastAttempt;
    if (since >= 0 && since < cooldownMs) return Promise.resolve();
    this.#lastAttempt = this.#now();
    this.#reading = this.#discover()
      .then(
        (provider) => {
          this.#known = { provider, readAt: this.#now() };
        },
        () => {},
      )
      .finally(() => {
        this.#reading = undefined;
      });
    return this.#reading;
  }

  async #discover(): Promise<Configuration> {
    const oidc = await import('openid-client');
    const { clientId, clientSecret } = this.options;
    const issuer = parseIssuerUrl(this.#logins.issuer, 'issuer');
    const provider = await oidc.discovery(
      issuer,
      clientId,
      { [oidc.clockTolerance]: this.#logins.clockToleranceSeconds },
      clientSecret === undefined ? oidc.None() : oidc.ClientSecretPost(clientSecret),
      {
        [oidc.customFetch]: (address, init) => boundedFetch(address, init as RequestInit),
        timeout: timeoutSeconds,
        // Only an issuer on this machine may have an address with http.
        execute: issuer.protocol === 'http:' ? [oidc.allowInsecureRequests] : [],
      },
    );
    const { issuer: named, authorization_endpoint, token_endpoint } = provider.serverMetadata();
    if (named !== this.#logins.issuer) throw new Error('the provider names another issuer');
    parseIssuerUrl(authorization_endpoint ?? '', 'authorization_endpoint');
    parseIssuerUrl(token_endpoint ?? '', 'token_endpoint');
    return provider;
  }
}

/** The error for a failure: whether the provider can't be reached, or the person must begin again. */
function readFailure(cause: unknown): ServerError {
  const {
    code,
    name,
    cause: answer,
  } = Object(cause) as {
    readonly code?: string;
    readonly name?: string;
    readonly cause?: unknown;
  };
  const isAway =
    code === 'OAUTH_TIMEOUT' ||
    // `fetch` failed. Other errors of this class have a code.
    (name === 'TypeError' && code === undefined) ||
    (answer instanceof Response && answer.status >= 500);
  return isAway
    ? new ServerError('ISSUER_UNAVAILABLE', 'the provider of logins can not be reached', { cause })
    : new ServerError('UNAUTHENTICATED', 'the provider did not confirm the login', { cause });
}
