import { createHash } from 'node:crypto';
import { uuidv8FromDigest } from '@tallystick/event';
import type { Reason } from '@tallystick/protocol';
import { exceededBound } from '../input/json-bounds.ts';

/** An event that was refused, with all bytes that were received. */
export interface DeadLetter {
  readonly id: string;
  /** As far as it can be read from the bytes. */
  readonly tenantId?: string;
  readonly auditId?: string;
  readonly source: string;
  readonly principal?: string;
  /** UUIDv7 of the process that produced the event, and the event's number there. */
  readonly producerId?: string;
  readonly producerSeq?: number;
  readonly violations: readonly Reason[];
  readonly raw: Uint8Array;
}

/** Who handed in an event. */
export interface Submitter {
  /** The way in: `http`, `embedded`, `import:cloudtrail`, … */
  readonly source: string;
  readonly principal?: string | undefined;
  readonly producer_id?: string | undefined;
  readonly producer_seq?: number | undefined;
}

/**
 * Makes a dead letter. Its id is derived from source and content: a redelivery counts up instead of adding another one.
 *
 * @param place distinguishes equal content that arrived at different places of one source
 */
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

/** More than any valid event has, so that the tenant of an event that exceeds its limits is still known. */
const identityBounds = { maxDepth: 1_000, maxValues: 100_000 };

/** Tenant and id of a refused event, if they can be read. Good for finding the event; never trusted. */
function readIdentity(bytes: Uint8Array): { tenantId?: string; auditId?: string } {
  if (exceededBound(bytes, identityBounds) !== undefined) return {};
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
