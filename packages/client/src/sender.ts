import type { CredentialSource } from './credential.ts';
import { ClientError, errorOfResponse, isTransient } from './errors.ts';
import { pause, type RetryOptions, retryAfterMs, retryDefaults } from './retry.ts';

/** The part of `fetch` that the client uses: it calls it with a URL and options. */
export type Fetch = (url: URL, init: RequestInit) => Promise<Response>;

/** What every call of the client takes. */
export interface CallOptions {
  /** Ends the call. The call then rejects with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
}

/** Query parameters; those that are undefined or empty are left out. */
/** Values by the names of parameters. A parameter with several values is sent several times. */
export interface Parameters {
  readonly [name: string]: Parameter | readonly Parameter[] | undefined;
}

type Parameter = string | number | boolean;

/** A request to one route of the HTTP API. */
export interface ApiRequest extends CallOptions {
  /** @defaultValue 'GET' */
  readonly method?: 'GET' | 'POST' | 'DELETE';
  /** Below the service's address, without a slash at its start; its parts are encoded already. */
  readonly path: string;
  readonly query?: Parameters;
  /** JSON text. */
  readonly body?: string;
  readonly headers?: { readonly [name: string]: string };
  /** Whether a repetition has no further effect, so that it may be retried. @defaultValue true for GET and DELETE */
  readonly idempotent?: boolean;
  /** Statuses besides 2xx that are answers to this request and not failures. @defaultValue none */
  readonly expected?: readonly number[];
}

/** Sends requests to the HTTP API of one service, and repeats those that may be repeated. */
export class Sender {
  /** How errors name the service. */
  readonly name: string;
  readonly #root: URL;
  readonly #credential: CredentialSource;
  readonly #fetch: Fetch;
  readonly #delaysMs: readonly number[];
  readonly #maxRetryAfterMs: number;

  constructor(options: {
    readonly name: string;
    /** With a slash at its end, or the last part of its path would be lost when paths are resolved. */
    readonly root: URL;
    readonly credential: CredentialSource;
    readonly fetch: Fetch;
    readonly retry: RetryOptions;
  }) {
    this.name = options.name;
    this.#root = options.root;
    this.#credential = options.credential;
    this.#fetch = options.fetch;
    this.#delaysMs = options.retry.delaysMs ?? retryDefaults.delaysMs;
    this.#maxRetryAfterMs = options.retry.maxRetryAfterMs ?? retryDefaults.maxRetryAfterMs;
  }

  /**
   * Sends a request until it succeeds, fails for good, or the retries are used up.
   *
   * @param read reads the answer; if the connection breaks meanwhile, the request is repeated
   * @throws {ClientError}
   */
  async send<T>(request: ApiRequest, read: (response: Response) => Promise<T> | T): Promise<T> {
    const { method = 'GET', signal, expected = [] } = request;
    const isIdempotent = request.idempotent ?? method !== 'POST';
    for (let attempt = 0; ; attempt++) {
      const ownDelayMs = this.#delaysMs[attempt];
      const delayMs = isIdempotent ? ownDelayMs : undefined;
      let response: Response | undefined;
      try {
        response = await this.#fetchWithCredential(request);
        if (response.ok || expected.includes(response.status)) return await read(response);
      } catch (error) {
        if (signal?.aborted === true || error instanceof ClientError) throw error;
        if (delayMs === undefined) throw this.#unreachable(error);
        await pause(delayMs, signal);
        continue;
      }
      // A request that is refused because of a rate limit has changed nothing, so every request may be repeated.
      const repeatMs = response.status === 429 ? ownDelayMs : delayMs;
      if (repeatMs === undefined || !isTransient(response.status))
        throw await errorOfResponse(response, this.name);
      await response.body?.cancel().catch(() => {});
      await pause(retryAfterMs(response, this.#maxRetryAfterMs) ?? repeatMs, signal);
    }
  }

  /** A service that refuses a credential has done nothing, so the request is made once more with a new credential. */
  async #fetchWithCredential(request: ApiRequest): Promise<Response> {
    const url = this.#urlOf(request);
    const token = await this.#credential.read(request.signal);
    const response = await this.#fetch(url, this.#initOf(request, token));
    if (response.status !== 401 || !this.#credential.isRenewable) return response;
    await response.body?.cancel().catch(() => {});
    const renewed = await this.#credential.read(request.signal, token);
    return await this.#fetch(url, this.#initOf(request, renewed));
  }

  /** Sends a request whose answer is JSON. */
  async json<T>(request: ApiRequest): Promise<T> {
    return this.parse<T>(await this.text(request));
  }

  /** Sends a request whose answer is text. */
  async text(request: ApiRequest): Promise<string> {
    return await this.send(request, (response) => response.text());
  }

  /** @throws {ClientError} `RESPONSE_INVALID` */
  parse<T>(text: string): T {
    try {
      return JSON.parse(text) as T;
    } catch (cause) {
      throw this.invalid('did not answer with JSON', { cause });
    }
  }

  /** An answer that no audit service gives. */
  invalid(what: string, options?: ErrorOptions): ClientError {
    const message = `${this.name} ${what}: check that the address is that of a Tallystick service`;
    return new ClientError('RESPONSE_INVALID', message, options);
  }

  #urlOf({ path, query = {} }: ApiRequest): URL {
    const url = new URL(path, this.#root);
    for (const [name, value] of Object.entries(query)) {
      for (const each of [value].flat())
        if (each !== undefined && each !== '') url.searchParams.append(name, String(each));
    }
    return url;
  }

  #initOf({ method = 'GET', body, headers, signal }: ApiRequest, token: string | undefined): RequestInit {
    return {
      method,
      // A redirect would carry the API key to the address that it names.
      redirect: 'error',
      headers: {
        ...headers,
        ...(token !== undefined && { authorization: `Bearer ${token}` }),
        ...(body !== undefined && { 'content-type': 'application/json' }),
      },
      ...(body !== undefined && { body }),
      ...(signal !== undefined && { signal }),
    };
  }

  #unreachable(error: unknown): ClientError {
    // Node's fetch fails with "fetch failed", and says why in `cause`.
    const { cause, message } = error as { cause?: { code?: string; message?: string }; message: string };
    const why = cause?.code ?? cause?.message ?? message;
    return new ClientError('UNREACHABLE', `no answer from ${this.name}: ${why}`, { cause: error });
  }
}
