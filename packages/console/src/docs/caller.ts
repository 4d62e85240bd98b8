import { type ReadonlySignal, signal } from '@preact/signals';
import type { Entrance, SessionRoutes } from '../site/session/session.ts';

/** A request that the reader tries, as the viewer is about to send it. */
export interface TriedRequest {
  url: string;
  method?: string;
  headers: Record<string, string>;
  credentials?: RequestCredentials;
}

/**
 * Who the requests of this page act as: an API key that the reader has typed, otherwise the session of the console. The key is in this
 * object and nowhere else. It is gone when the reader leaves the page.
 */
export class Caller {
  readonly #routes: SessionRoutes;
  readonly #entrance = signal<Entrance>();
  readonly #key = signal<string>();
  readonly #failure = signal<string>();

  constructor(routes: SessionRoutes) {
    this.#routes = routes;
  }

  /** What the service says about the session; `undefined` until it has answered. */
  get entrance(): ReadonlySignal<Entrance | undefined> {
    return this.#entrance;
  }

  /** The key that the reader has typed. */
  get key(): ReadonlySignal<string | undefined> {
    return this.#key;
  }

  /** Why the service could not be asked for the session. */
  get failure(): ReadonlySignal<string | undefined> {
    return this.#failure;
  }

  /** Asks the service who is signed in. Another tab may have signed in or out. */
  async refresh(): Promise<void> {
    try {
      this.#entrance.value = await this.#routes.read();
      this.#failure.value = undefined;
    } catch (error) {
      this.#failure.value = (error as Error).message;
    }
  }

  useKey(key: string): void {
    this.#key.value = key;
  }

  forgetKey(): void {
    this.#key.value = undefined;
  }

  /** Ends the session on the service, for the console too. */
  async signOut(): Promise<void> {
    const session = this.#entrance.value?.session;
    if (session) await this.#routes.signOut(session).catch(() => {});
    await this.refresh();
  }

  /**
   * Adds the caller to a request.
   *
   * @throws {Error} if the request would go to another service: it must not get the key
   */
  authorize<R extends TriedRequest>(request: R, root: URL): R {
    const { origin } = new URL(request.url, root);
    if (origin !== root.origin)
      throw new Error('this page sends requests only to the service that it comes from');
    const key = this.#key.value;
    const session = this.#entrance.value?.session;
    if (key !== undefined) {
      request.headers.Authorization = `Bearer ${key}`;
      request.credentials = 'omit';
    } else {
      request.credentials = 'same-origin';
      if (session && (request.method ?? 'GET').toUpperCase() !== 'GET')
        request.headers['x-tallystick-csrf'] ??= session.csrf;
    }
    return request;
  }
}
