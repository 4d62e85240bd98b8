import { createHash } from 'node:crypto';
import { uuidv8FromDigest } from '@tallystick/event';
import type { Reason } from '@tallystick/protocol';

/** A refused event, with everything that was received. */
export interface DeadLetter {
  readonly id: string;
  /** Absent where the received bytes name no tenant. */
  readonly tenantId?: string;
  /** Absent where the received bytes name no id. */
  readonly auditId?: string;
  readonly source: string;
  readonly principal?: string;
  /** UUIDv7 of the process that produced the event. */
  readonly producerId?: string;
  /** The number that this process gave the event. */
  readonly producerSeq?: number;
  readonly violations: readonly Reason[];
  readonly raw: Uint8Array;
}

/** Who submitted an event, and how it arrived. */
export interface Submitter {
  /** `http`, `embedded`, `import:cloudtrail`, … */
  readonly source: string;
  readonly principal?: string | undefined;
  readonly producer_id?: string | undefined;
  readonly producer_seq?: number | undefined;
}

/**
 * Makes a dead letter. The id derives from source and content: when the same bytes are delivered again, the store
 * counts the delivery and keeps one dead letter.
 *
 * @param discriminator tells dead letters apart that would otherwise get the same id
 */
export function toDeadLetter(
  raw: Uint8Array | string,
  submitter: Submitter,
  violations: readonly Reason[],
  discriminator = '',
): DeadLetter {
  const bytes = typeof raw === 'string' ? new TextEncoder().encode(raw) : raw;
  const digest = createHash('sha256')
    .update(
      `tallystick/dead-letter/v1\0${submitter.source}\0${submitter.principal ?? ''}\0${discriminator}\0${violations[0]?.code}\0`,
    )
    .update(bytes)
    .digest();
  const { producer_id, producer_seq } = submitter;
  return {
    id: uuidv8FromDigest(digest),
    ...readIdentity(bytes),
    source: submitter.source,
    ...(submitter.principal !== undefined && { principal: submitter.principal }),
    ...(producer_id !== undefined && { producerId: producer_id }),
    ...(producer_seq !== undefined && { producerSeq: producer_seq }),
    violations,
    raw: bytes,
  };
}

/** Tenant and id as the refused bytes claim them. They help to find the dead letter and must not be trusted. */
function readIdentity(bytes: Uint8Array): { tenantId?: string; auditId?: string } {
  try {
    const value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes)) as Record<
      string,
      unknown
    >;
    const shortText = (name: string) => {
      const text = value[name];
      return typeof text === 'string' && /^[\w.:@-]{1,128}$/.test(text) ? text : undefined;
    };
    const tenantId = shortText('tenant_id');
    const auditId = shortText('audit_id');
    return { ...(tenantId !== undefined && { tenantId }), ...(auditId !== undefined && { auditId }) };
  } catch {
    return {};
  }
}
