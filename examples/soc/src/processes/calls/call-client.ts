import { randomBytes } from 'node:crypto';
import { Unavailable } from '../../platform/topics.ts';
import { CallProofs, isSameProof, nonceHeader, proofHeader } from './call-proof.ts';

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
  /** The key of the platform. It is never sent. */
  readonly key: string;
}

/** Calls functions of another process. See `startCallServer`. */
export class CallClient {
  readonly #url: string;
  readonly #proofs: CallProofs;

  constructor({ url, key }: CallClientOptions) {
    this.#url = url;
    this.#proofs = new CallProofs(key);
  }

  /**
   * @throws {Unavailable} if the process is away, does not answer within `timeoutMs`, or says that it can't answer now; and if another program
   *   answers, which does not know the key
   * @throws {CallRefused} if it refuses
   */
  async call(name: string, argument: unknown, timeoutMs: number): Promise<unknown> {
    const url = this.#url;
    const sent = JSON.stringify(argument ?? null);
    const nonce = randomBytes(16).toString('base64url');
    const proof = this.#proofs.ofCall(name, nonce, sent);
    let response: Response;
    let text: string;
    try {
      response = await fetch(`${url}/calls/${name}`, {
        method: 'POST',
        headers: { [nonceHeader]: nonce, [proofHeader]: proof, 'content-type': 'application/json' },
        body: sent,
        redirect: 'error',
        signal: AbortSignal.timeout(timeoutMs),
      });
      text = await response.text();
    } catch (cause) {
      throw new Unavailable(`${url} does not answer the call ${name}`, { cause });
    }
    const expected = this.#proofs.ofAnswer(nonce, response.status, text);
    if (!isSameProof(response.headers.get(proofHeader), expected))
      throw new Unavailable(
        `what answers at ${url} does not know the key of the platform: another program may have its port`,
      );
    const body = JSON.parse(text) as { result?: unknown; code?: string; message?: string };
    if (response.ok) return body.result;
    const message = body.message ?? `the call ${name} ended with ${response.status}`;
    if (response.status === 503) throw new Unavailable(message);
    if (response.status === 409) throw new CallRefused(body.code ?? 'REFUSED', message);
    throw new Error(message);
  }
}
