import { createHmac, timingSafeEqual } from 'node:crypto';

/** Header of a call: random, and of this call alone. */
export const nonceHeader = 'x-soc-nonce';
/** Header of a call and of its answer: a proof that the sender knows the key of the platform. */
export const proofHeader = 'x-soc-proof';

/**
 * Proofs of calls and answers (HMAC-SHA-256). The key itself is never sent: while a process is away, any program of the machine can take its
 * port. The answer proves the key for the nonce of the call, so such a program can't answer either, and not with an earlier answer.
 */
export class CallProofs {
  readonly #key: string;

  constructor(key: string) {
    this.#key = key;
  }

  ofCall(name: string, nonce: string, body: string): string {
    return this.#of(['call', name, nonce, body]);
  }

  ofAnswer(nonce: string, status: number, body: string): string {
    return this.#of(['answer', nonce, status, body]);
  }

  #of(parts: readonly (string | number)[]): string {
    return createHmac('sha256', this.#key).update(JSON.stringify(parts)).digest('base64url');
  }
}

export function isSameProof(given: unknown, expected: string): boolean {
  const [a, b] = [Buffer.from(String(given ?? '')), Buffer.from(expected)];
  return a.length === b.length && timingSafeEqual(a, b);
}
