import { createHash } from 'node:crypto';
import {
  type AuditEvent,
  AuditValidationError,
  readEvent,
  type Taxonomy,
  uuidv8FromDigest,
} from '@tallystick/event';
import type { Reason } from '@tallystick/protocol';

/**
 * Admission: from bytes that anybody may have written to a valid event with its canonical text, or to a dead letter.
 * Nothing is durable yet; a crash here loses only what nobody was told is safe.
 */

export interface AdmitOptions {
  /** Milliseconds since the epoch. */
  readonly now: number;
  readonly taxonomy?: Taxonomy | undefined;
}

/** A valid event, ready to be sealed without another look at its content. */
export interface AdmittedEvent {
  readonly event: AuditEvent;
  readonly canonical: string;
}

/** An event that was refused, with everything that was received. */
export interface DeadLetter {
  readonly id: string;
  /** Only as far as it can be told from what was received. */
  readonly tenantId?: string;
  readonly auditId?: string;
  readonly source: string;
  readonly principal?: string;
  /** UUIDv7 of the process that produced it, and its number there. */
  readonly producerId?: string;
  readonly producerSeq?: number;
  readonly violations: readonly Reason[];
  readonly raw: Uint8Array;
}

export interface Submitter {
  /** Where it came in: `http`, `embedded`, `import:cloudtrail`, … */
  readonly source: string;
  readonly principal?: string | undefined;
  readonly producer_id?: string | undefined;
  readonly producer_seq?: number | undefined;
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

/** Makes a dead letter. Its id is that of source and content, so that a redelivery counts up instead of adding one. */
export function toDeadLetter(
  raw: Uint8Array | string,
  submitter: Submitter,
  violations: readonly Reason[],
  place = '',
): DeadLetter {
  const bytes = typeof raw === 'string' ? new TextEncoder().encode(raw) : raw;
  const digest = createHash('sha256')
    .update(
      `tallystick/dead-letter/v1\0${submitter.source}\0${submitter.principal ?? ''}\0${place}\0${violations[0]?.code}\0`,
    )
    .update(bytes)
    .digest();
  const known = readIdentity(bytes);
  const { producer_id, producer_seq } = submitter;
  return {
    id: uuidv8FromDigest(digest),
    ...known,
    source: submitter.source,
    ...(submitter.principal !== undefined && { principal: submitter.principal }),
    ...(producer_id !== undefined && { producerId: producer_id }),
    ...(producer_seq !== undefined && { producerSeq: producer_seq }),
    violations,
    raw: bytes,
  };
}

/** Tenant and id of a refused event as far as they can be read: for finding it, never for trusting it. */
function readIdentity(bytes: Uint8Array): { tenantId?: string; auditId?: string } {
  try {
    const value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes)) as Record<
      string,
      unknown
    >;
    const short = (name: string) => {
      const text = value[name];
      return typeof text === 'string' && /^[\w.:@-]{1,128}$/.test(text) ? text : undefined;
    };
    const tenantId = short('tenant_id');
    const auditId = short('audit_id');
    return { ...(tenantId !== undefined && { tenantId }), ...(auditId !== undefined && { auditId }) };
  } catch {
    return {};
  }
}
