import { createHmac } from 'node:crypto';
import { AuditValidationError, canonicalize, findViolations, type Taxonomy } from '@tallystick/event';
import { Redactor } from '@tallystick/event/redaction';
import type { AdmittedEvent } from '../../chain/batch.ts';
import { exceededBound } from '../../input/json-bounds.ts';
import type { RedactionRuleSet } from './redaction-rules.ts';

/** More than any valid event has. A text beyond these bounds is searched as a text, and not as JSON. */
const structuredBounds = { maxDepth: 64, maxValues: 20_000 };

/** Removes secrets from what the service receives, before it is canonical, and before it becomes a dead letter. */
export class AdmissionRedaction {
  readonly #redactor: Redactor;
  readonly #secret: Uint8Array;

  /** @param secret key of the HMAC by which a resent event is recognised */
  constructor({ names, allowNames, paths }: RedactionRuleSet, secret: Uint8Array) {
    this.#redactor = new Redactor({ names, allowNames, paths, patterns: [] });
    this.#secret = secret;
  }

  /**
   * The event without its secrets; the same object if it contains none.
   *
   * @throws {AuditValidationError} if the event is not valid without them
   */
  redact(
    read: AdmittedEvent,
    options: { readonly now: number; readonly taxonomy?: Taxonomy | undefined },
  ): AdmittedEvent {
    const event = this.#redactor.redact(read.event);
    if (event === read.event) return read;
    const violations = findViolations(event, options);
    if (violations.length > 0) throw new AuditValidationError(violations);
    const fingerprint = createHmac('sha256', this.#secret).update(read.canonical).digest('hex');
    return { event, canonical: canonicalize(event), received: { canonical: read.canonical, fingerprint } };
  }

  /** Bytes that are refused, without their secrets; the same bytes if they contain none. */
  redactBytes(raw: Uint8Array): Uint8Array {
    const value = parseObject(raw);
    if (value !== undefined) {
      const clean = this.#redactor.redact(value);
      return clean === value ? raw : Buffer.from(JSON.stringify(clean));
    }
    // One character per byte, so that bytes which are not UTF-8 stay as they are.
    const text = Buffer.from(raw.buffer, raw.byteOffset, raw.byteLength).toString('latin1');
    const clean = this.#redactor.redactText(text);
    return clean === text ? raw : Buffer.from(clean, 'latin1');
  }
}

/** The value of a JSON text that can be written again without a loss. */
function parseObject(raw: Uint8Array): object | undefined {
  if (exceededBound(raw, structuredBounds) !== undefined) return undefined;
  try {
    const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(raw);
    const value: unknown = JSON.parse(text);
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined;
    // Repeated members and numbers that JavaScript can't hold would be lost. Such a text is refused because of them.
    return withoutSpaces(JSON.stringify(value)) === withoutSpaces(text) ? value : undefined;
  } catch {
    return undefined;
  }
}

function withoutSpaces(text: string): string {
  return text.replace(/\s/g, '');
}
