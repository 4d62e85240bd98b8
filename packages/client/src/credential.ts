import { ClientError } from './errors.ts';

/**
 * An API key or the token of a login, or a function that returns it. The client calls the function when it first needs the
 * credential, and again with `refresh: true` after the service refused the last one with 401.
 */
export type Credential = string | ((options: { readonly refresh: boolean }) => string | Promise<string>);

/** Gives each request its credential. Requests that are refused at once share one new credential. */
export class CredentialSource {
  readonly #credential: Credential | undefined;
  /** The last one that the function returned. Owned by this object. */
  #token: string | undefined;
  /** The call of the function that is running. */
  #call: Promise<string> | undefined;

  /** @throws {ClientError} `OPTIONS_INVALID` */
  constructor(credential: Credential | undefined) {
    if (typeof credential === 'string') assertUsable(credential);
    this.#credential = credential;
  }

  /** Whether a refused credential can be replaced. */
  get isRenewable(): boolean {
    return typeof this.#credential === 'function';
  }

  /**
   * @param refused what the service refused; another credential is needed then
   * @throws {ClientError} `OPTIONS_INVALID` if the function fails, or returns what no header can hold
   */
  async read(signal: AbortSignal | undefined, refused?: string): Promise<string | undefined> {
    const credential = this.#credential;
    if (typeof credential !== 'function') return credential;
    if (this.#token !== undefined && this.#token !== refused) return this.#token;
    this.#call ??= (async () => credential({ refresh: refused !== undefined }))()
      .then((token) => {
        assertUsable(token);
        this.#token = token;
        return token;
      })
      .finally(() => {
        this.#call = undefined;
      });
    try {
      return await untilAborted(this.#call, signal);
    } catch (cause) {
      if (signal?.aborted === true || cause instanceof ClientError) throw cause;
      throw new ClientError('OPTIONS_INVALID', 'the apiKey function gave no credential: see cause', {
        cause,
      });
    }
  }
}

/** What no header can hold would fail like a service that is away, and be retried. */
function assertUsable(credential: unknown): void {
  if (typeof credential === 'string' && /^[\x21-\x7e]+$/.test(credential)) return;
  throw new ClientError('OPTIONS_INVALID', 'apiKey must be printable ASCII without spaces or line breaks');
}

/** The function may ask a provider that hangs. Its call goes on for other requests that wait for it. */
function untilAborted<T>(work: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return work;
  return new Promise((resolve, reject) => {
    const onAbort = () => reject(signal.reason);
    signal.addEventListener('abort', onAbort, { once: true });
    if (signal.aborted) onAbort();
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort));
  });
}
