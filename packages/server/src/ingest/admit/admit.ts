import { AuditValidationError, readEvent, type Taxonomy } from '@tallystick/event';
import type { AdmittedEvent } from '../../chain/batch.ts';
import { type DeadLetter, type Submitter, toDeadLetter } from '../../chain/dead-letters.ts';

/**
 * Admission: from bytes that anybody may have written to a valid event with its canonical text, or to a dead letter.
 * Nothing is durable yet; a crash here loses only what nobody was told is safe.
 */

export interface AdmitOptions {
  /** Milliseconds since the epoch. */
  readonly now: number;
  readonly taxonomy?: Taxonomy | undefined;
}

export type Admission = { readonly admitted: AdmittedEvent } | { readonly deadLetter: DeadLetter };

/** Reads one event as it was received. */
export function admit(raw: Uint8Array | string, submitter: Submitter, options: AdmitOptions): Admission {
  try {
    return { admitted: readEvent(raw, { now: options.now, taxonomy: options.taxonomy }) };
  } catch (error) {
    if (!(error instanceof AuditValidationError)) throw error;
    return { deadLetter: toDeadLetter(raw, submitter, error.violations) };
  }
}
