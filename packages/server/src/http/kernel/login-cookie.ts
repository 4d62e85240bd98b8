import type { FastifyRequest } from 'fastify';

/** The cookie of a person who is at the provider. Its content comes back with the provider's answer, in the same browser alone. */
export class LoginCookie {
  readonly #name: string;
  readonly #attributes: string;

  /** @param isHttps whether people reach the service over HTTPS. Then no other host and no plain HTTP can set the cookie */
  constructor(isHttps: boolean) {
    this.#name = isHttps ? '__Host-tallystick-login' : 'tallystick-login';
    // `Lax`, because the provider's page leads back: a strict cookie would not come along. It is no credential.
    this.#attributes = `; Path=/; HttpOnly; SameSite=Lax${isHttps ? '; Secure' : ''}`;
  }

  read({ headers }: FastifyRequest): string | undefined {
    return new RegExp(`(?:^|; ?)${this.#name}=([\\w.-]{1,4000})(?=;|$)`).exec(headers.cookie ?? '')?.[1];
  }

  /** The header that stores it. */
  set(content: string, until: number): string {
    return `${this.#name}=${content}; Expires=${new Date(until).toUTCString()}${this.#attributes}`;
  }

  /** The header that removes it. */
  remove(): string {
    return `${this.#name}=; Max-Age=0${this.#attributes}`;
  }
}
