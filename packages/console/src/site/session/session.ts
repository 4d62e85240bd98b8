/** Who is signed in, and the client that acts for them. The session itself is in an http-only cookie that no script can read. */
import { type Client, createClient } from '@tallystick/client';
import type { ProblemDocument, Scope } from '@tallystick/protocol';

/** A person's session, as the service tells it. */
export interface Session {
  /** Name of the key. Absent for a login, which has a subject. */
  readonly name?: string | undefined;
  readonly subject?: string | undefined;
  readonly scopes: readonly Scope[];
  /** Absent: every tenant. */
  readonly tenants?: readonly string[] | undefined;
  /** Each request that changes something must show it: another site can make the browser send the cookie, but can't read this. */
  readonly csrf: string;
  readonly expires_at?: string | undefined;
}

/** What the service says to a page that opens. */
export interface Entrance {
  readonly session: Session | null;
  /** Name of the log. */
  readonly log: string;
  readonly version: string;
  readonly sign_in: {
    readonly key: boolean;
    readonly login?: { readonly name: string; readonly href: string } | undefined;
  };
}

/** What a reader signs in with: an API key, or the secret of a link that works once. */
export type Proof = { readonly key: string } | { readonly link: string };

/** The service refused to open a session, with a reason for people. */
class SignInError extends Error {
  override readonly name = 'SignInError';
}

const refusedKey =
  'The service does not accept this key: it is mistyped, expired or revoked. Check it, or ask the operator for a new one.';
const consoleHeader = 'x-tallystick-console';
const csrfHeader = 'x-tallystick-csrf';

/** Talks to the service about the session. `root` is the address of the console, with a slash at its end. */
export class SessionRoutes {
  readonly #root: URL;
  readonly #fetch: typeof fetch;

  constructor(root: URL, fetchWith: typeof fetch = (...request) => globalThis.fetch(...request)) {
    this.#root = root;
    this.#fetch = fetchWith;
  }

  /** @throws {SignInError} if the service does not answer as it should */
  async read(): Promise<Entrance> {
    return await this.#entrance(await this.#fetch(this.#address, { cache: 'no-store' }));
  }

  /** @throws {SignInError} if the key or the link is refused */
  async signIn(proof: Proof): Promise<Entrance> {
    const response = await this.#fetch(this.#address, {
      method: 'POST',
      headers: { 'content-type': 'application/json', [consoleHeader]: '1' },
      body: JSON.stringify(proof),
    });
    if ('key' in proof && response.status === 401) throw new SignInError(refusedKey);
    return await this.#entrance(response);
  }

  async signOut({ csrf }: Session): Promise<void> {
    await this.#fetch(this.#address, { method: 'DELETE', headers: { [csrfHeader]: csrf } });
  }

  /** The client of the API, which is beside the console. `onEnd` is called when the service does not know the session any more. */
  clientFor({ csrf }: Session, onEnd: () => void): Client {
    return createClient({
      url: new URL('../', this.#root),
      name: 'the service',
      // A reader waits for the answer, and can try again.
      retry: { delaysMs: [250, 1_000] },
      fetch: async (url, init) => {
        const headers = new Headers(init.headers);
        headers.set(csrfHeader, csrf);
        const response = await this.#fetch(url, { ...init, headers, credentials: 'same-origin' });
        if (response.status === 401) onEnd();
        return response;
      },
    });
  }

  get #address(): URL {
    return new URL('session', this.#root);
  }

  async #entrance(response: Response): Promise<Entrance> {
    const body = (await response.json().catch(() => undefined)) as
      | Partial<Entrance & ProblemDocument>
      | undefined;
    if (response.ok && body?.sign_in !== undefined) return body as Entrance;
    const reason = body?.detail ?? body?.title;
    throw new SignInError(
      reason ??
        `The service answered ${response.status}. Check that it runs and that a proxy lets /console through.`,
    );
  }
}

/** Whether the reader runs the service: keys and followers belong to no tenant. */
export function isOperator({ scopes, tenants }: Session): boolean {
  return scopes.includes('admin') && tenants === undefined;
}

/** Whether the reader may do what needs a scope. `admin` includes all but deciding approvals. */
export function may({ scopes }: Session, scope: Scope): boolean {
  return scopes.includes(scope) || (scope !== 'approvals:decide' && scopes.includes('admin'));
}

/** What to call the reader: the name of the key, or of a login what follows the issuer in its subject. */
export function readerName({ name, subject }: Session): string {
  const login = subject?.slice(subject.indexOf('#') + 1);
  return [name, login, subject].find((each) => each !== undefined && each !== '') ?? 'a key without a name';
}
