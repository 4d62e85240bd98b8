import { AuditValidationError, readEvent, type Taxonomy } from '@tallystick/event';
import type { AdmittedEvent } from '../../chain/batch.ts';
import { type DeadLetter, type Submitter, toDeadLetter } from '../../chain/dead-letters.ts';
import type { AdmissionRedaction } from './redaction.ts';

export interface AdmitOptions {
  /** Milliseconds since the epoch. */
  readonly now: number;
  readonly taxonomy?: Taxonomy | undefined;
  /** Removes secrets; absent where the operator has turned redaction off. */
  readonly redaction?: AdmissionRedaction | undefined;
}

export type AdmitResult = { readonly admitted: AdmittedEvent } | { readonly deadLetter: DeadLetter };

/**
 * Reads one event as it was received. An attacker may have written the bytes: the result is a valid event with its
 * canonical text, or a dead letter.
 *
 * Nothing is durable yet. After a crash here the submitter has no receipt and sends the event again.
 */
export function admit(raw: Uint8Array | string, submitter: Submitter, options: AdmitOptions): AdmitResult {
  try {
    // The checks come first: they refuse what another parser could read differently, and see the bytes as they were sent.
    const read = readEvent(raw, { now: options.now, taxonomy: options.taxonomy });
    return { admitted: options.redaction?.redact(read, options) ?? read };
  } catch (error) {
    if (!(error instanceof AuditValidationError)) throw error;
    const kept = withoutSecrets(raw, options.redaction);
    return { deadLetter: toDeadLetter(kept, submitter, error.violations) };
  }
}

/** What may be kept of bytes that are refused. */
export function withoutSecrets(
  raw: Uint8Array | string,
  redaction: AdmissionRedaction | undefined,
): Uint8Array | string {
  if (redaction === undefined) return raw;
  return redaction.redactBytes(typeof raw === 'string' ? new TextEncoder().encode(raw) : raw);
}
