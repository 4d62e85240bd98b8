import type { FastifyRequest } from 'fastify';

/** The cookie of a sign-in that has begun. Only the browser that began it sends its content back with the provider's answer. */
export class LoginCookie {
  readonly #name: string;
  readonly #attributes: string;

  /**
   * @param label of the service
   * @param isHttps whether people reach the service over HTTPS. Then no other host and no plain HTTP can set the cookie
   */
  constructor(label: string, isHttps: boolean) {
    this.#name = `${isHttps ? '__Host-' : ''}tallystick-login-${label}`;
    // `Lax`, because the provider's page redirects back: browsers do not send strict cookies then. The cookie is not a credential.
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
