import { createHmac } from 'node:crypto';
import { mask, Redactor } from '@tallystick/event/redaction';
import { type RedactionOptions, readRedactionOptions } from './options.ts';

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
    const event = JSON.parse(text) as object;
    const clean = this.#redactor.redact(event);
    return clean === event ? text : JSON.stringify(clean);
  }
}
