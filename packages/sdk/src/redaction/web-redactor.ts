import { mask, Redactor } from '@tallystick/event/redaction';
import { type RedactionOptions, readRedactionOptions } from './options.ts';
import { redactWire } from './redact-wire.ts';

/** A replaced secret can be next to another text that only then looks like a secret. It is found in the next round. */
const maxRounds = 10;

/**
 * Removes secrets from an event's wire text as `WireRedactor` does, with Web Crypto in place of `node:crypto`. Both give the same text.
 */
export class WebRedactor {
  readonly #options: Required<RedactionOptions>;
  readonly #redactor: Redactor;

  /** @throws {AuditError} `CONFIG_INVALID` */
  constructor(options: RedactionOptions) {
    this.#options = readRedactionOptions(options);
    const { censor } = this.#options;
    this.#redactor = new Redactor(this.#options, () => (censor === 'remove' ? undefined : mask));
  }

  /** The text without its secrets; the same string if it contains none. */
  async redact(text: string): Promise<string> {
    const { censor } = this.#options;
    const masked = redactWire(text, this.#redactor);
    if (masked === text || typeof censor === 'string') return masked;
    // Web Crypto answers later, and the redactor needs an answer at once: the secrets are collected, hashed, and then replaced.
    const hashes = new Map<string, string>();
    const missing = new Set<string>();
    const redactor = new Redactor(this.#options, (secret) => {
      const known = hashes.get(secret);
      if (known === undefined) missing.add(secret);
      return known ?? mask;
    });
    for (let round = 0; ; round++) {
      const clean = redactWire(text, redactor);
      if (missing.size === 0 || round === maxRounds) return clean;
      for (const secret of missing) hashes.set(secret, await hash(censor.hmacKey, secret));
      missing.clear();
    }
  }
}

async function hash(key: string | Uint8Array, secret: string): Promise<string> {
  const utf8 = new TextEncoder();
  const bytes = typeof key === 'string' ? utf8.encode(key) : new Uint8Array(key);
  const algorithm = { name: 'HMAC', hash: 'SHA-256' };
  const imported = await crypto.subtle.importKey('raw', bytes, algorithm, false, ['sign']);
  const signature = new Uint8Array(await crypto.subtle.sign('HMAC', imported, utf8.encode(secret)));
  const hex = Array.from(signature.subarray(0, 16), (byte) => byte.toString(16).padStart(2, '0'));
  return `hmac:${hex.join('')}`;
}
