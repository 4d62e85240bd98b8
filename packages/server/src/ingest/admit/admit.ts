import { AuditValidationError, readEvent, type Taxonomy } from '@tallystick/event';
import type { AdmittedEvent } from '../../chain/batch.ts';
import { type DeadLetter, type Submitter, toDeadLetter } from '../../chain/dead-letters.ts';

export interface AdmitOptions {
  /** Milliseconds since the epoch. */
  readonly now: number;
  readonly taxonomy?: Taxonomy | undefined;
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
    return { admitted: readEvent(raw, { now: options.now, taxonomy: options.taxonomy }) };
  } catch (error) {
    if (!(error instanceof AuditValidationError)) throw error;
    return { deadLetter: toDeadLetter(raw, submitter, error.violations) };
  }
}
