import { Unavailable } from '../../platform/topics.ts';

/** The other process refused a call, with its code. */
export class CallRefused extends Error {
  override readonly name = 'CallRefused';
  readonly code: string;

  constructor(code: string, message: string) {
    super(message);
    this.code = code;
  }
}

export interface CallClientOptions {
  /** Address of the other process. */
  readonly url: string;
  readonly key: string;
}

/** Calls functions of another process. See `startCallServer`. */
export class CallClient {
  readonly #options: CallClientOptions;

  constructor(options: CallClientOptions) {
    this.#options = options;
  }

  /**
   * @throws {Unavailable} if the process is away, does not answer within `timeoutMs`, or says that it can't answer now
   * @throws {CallRefused} if it refuses
   */
  async call(name: string, argument: unknown, timeoutMs: number): Promise<unknown> {
    const { url, key } = this.#options;
    let response: Response;
    let body: { result?: unknown; code?: string; message?: string };
    try {
      response = await fetch(`${url}/calls/${name}`, {
        method: 'POST',
        headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
        body: JSON.stringify(argument ?? null),
        signal: AbortSignal.timeout(timeoutMs),
      });
      body = (await response.json()) as typeof body;
    } catch (cause) {
      throw new Unavailable(`${url} does not answer the call ${name}`, { cause });
    }
    if (response.ok) return body.result;
    const message = body.message ?? `the call ${name} ended with ${response.status}`;
    if (response.status === 503) throw new Unavailable(message);
    if (response.status === 409) throw new CallRefused(body.code ?? 'REFUSED', message);
    throw new Error(message);
  }
}
