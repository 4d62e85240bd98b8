import { createHmac, timingSafeEqual } from 'node:crypto';

/** What the service remembers of a person whom it has sent to the provider. */
export interface LoginAttempt {
  readonly state: string;
  readonly nonce: string;
  /** Of PKCE (RFC 7636). */
  readonly verifier: string;
  /** Page of the console that opens afterwards, relative to the console's address. */
  readonly page: string;
  /** When the attempt expires, ms since the epoch. */
  readonly until: number;
}

/** A page of the console with its query. It begins with no slash, so it can't name another host. */
const pagePattern = /^[a-z][a-z0-9-]{0,63}(?:\?[\x21-\x7e]{0,1500})?$/;

/** A page that a link may name; the first page for every other text. */
export function pageOf(text: string | undefined): string {
  return text !== undefined && pagePattern.test(text) ? text : '';
}

/**
 * Attempts as texts for a cookie of the browser. So each replica can finish an attempt that another one began, and the service stores nothing. An
 * HMAC with a secret of the service protects them: the service refuses an attempt that it did not begin.
 */
export class LoginAttempts {
  readonly #macKey: Uint8Array;
  readonly #now: () => number;

  constructor(macKey: Uint8Array, now: () => number) {
    this.#macKey = macKey;
    this.#now = now;
  }

  seal(attempt: LoginAttempt): string {
    const body = Buffer.from(JSON.stringify(attempt)).toString('base64url');
    return `${body}.${this.#macOf(body).toString('base64url')}`;
  }

  /** @returns `undefined` if this service did not make the text, or if it has expired */
  open(sealed: string): LoginAttempt | undefined {
    const [body = '', mac = ''] = sealed.split('.');
    const given = Buffer.from(mac, 'base64url');
    const expected = this.#macOf(body);
    if (given.length !== expected.length || !timingSafeEqual(given, expected)) return undefined;
    const attempt = JSON.parse(Buffer.from(body, 'base64url').toString()) as LoginAttempt;
    return attempt.until > this.#now() ? attempt : undefined;
  }

  #macOf(body: string): Buffer {
    return createHmac('sha256', this.#macKey).update(body).digest();
  }
}
