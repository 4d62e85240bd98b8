import { createHash } from 'node:crypto';
import { uuidv8FromDigest } from '@tallystick/event';
import type { Reason } from '@tallystick/protocol';
import type { Statement } from '../store/database.ts';
import { isMessage } from './message-source.ts';

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

const rowsSql = `
  insert into audit_dead_letters (id, tenant_id, audit_id, source, principal, producer_id, producer_seq, reason, pointer, message,
                                  raw, seen)
  select d.id, d.tenant_id, d.audit_id, d.source, d.principal, d.producer_id, d.producer_seq, d.reason, d.pointer, d.message,
         decode(d.raw, 'hex'), d.seen
    from jsonb_to_recordset($1::jsonb)
      as d(id uuid, tenant_id text, audit_id text, source text, principal text, producer_id uuid,
           producer_seq bigint, reason text, pointer text, message text, raw text, seen bigint)
    on conflict (id) do`;

/**
 * Sent once more, as a client does: it counts up, and what was settled is open again, with its bytes where a purge has
 * erased them, since the client is told that it is kept.
 */
const countUpSql = `${rowsSql} update
     set seen = audit_dead_letters.seen + excluded.seen, last_seen_at = clock_timestamp(), state = 'open',
         settled_at = null, settled_by = null, raw = excluded.raw`;

/** The same message read once more: nothing has happened. */
const onceSql = `${rowsSql} nothing`;

/** Keeps what was refused, raw bytes included. Part of the batch's transaction: after its commit, nothing is lost. */
export function storeDeadLetters(letters: readonly DeadLetter[]): Statement[] {
  const [messages, others] = [letters.filter(isFromMessage), letters.filter((each) => !isFromMessage(each))];
  return [...insert(onceSql, messages), ...insert(countUpSql, others)];
}

function isFromMessage({ source }: DeadLetter): boolean {
  return isMessage(source);
}

/** They may quote the sender, who may have sent what jsonb can't hold. */
function storable(text: string): string {
  return text.toWellFormed().replaceAll('\0', '\u2400');
}

function insert(text: string, letters: readonly DeadLetter[]): Statement[] {
  if (letters.length === 0) return [];
  const unique = Map.groupBy(letters, (letter) => letter.id);
  const rows = [...unique.values()].map((same) => {
    const letter = same[0]!;
    const first = letter.violations[0]!;
    return {
      id: letter.id,
      tenant_id: letter.tenantId ?? null,
      audit_id: letter.auditId ?? null,
      source: letter.source,
      principal: letter.principal ?? null,
      producer_id: letter.producerId ?? null,
      producer_seq: letter.producerSeq ?? null,
      reason: storable(first.code),
      pointer: storable(first.pointer),
      message: storable(first.message),
      raw: Buffer.from(letter.raw).toString('hex'),
      seen: same.length,
    };
  });
  return [{ text, values: [JSON.stringify(rows)] }];
}
