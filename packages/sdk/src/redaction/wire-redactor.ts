import { createHmac } from 'node:crypto';
import { mask, Redactor } from '@tallystick/event/redaction';
import { type RedactionOptions, readRedactionOptions } from './options.ts';
import { redactWire } from './redact-wire.ts';

/** Removes secrets from an event's wire text. The same text always gives the same result, so that a retry sends the same bytes. */
export class WireRedactor {
  readonly #redactor: Redactor;

  /** @throws {AuditError} `CONFIG_INVALID` */
  constructor(options: RedactionOptions) {
    const { censor, ...rules } = readRedactionOptions(options);
    this.#redactor = new Redactor(rules, (secret) => {
      if (censor === 'mask') return mask;
      if (censor === 'remove') return undefined;
      return `hmac:${createHmac('sha256', censor.hmacKey).update(secret).digest('hex').slice(0, 32)}`;
    });
  }

  /** The text without its secrets; the same string if it contains none. */
  redact(text: string): string {
    return redactWire(text, this.#redactor);
  }
}
