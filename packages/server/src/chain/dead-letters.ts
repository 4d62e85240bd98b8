import { createHash } from 'node:crypto';
import { uuidv8FromDigest } from '@tallystick/event';
import type { Reason } from '@tallystick/protocol';
import { exceededBound } from '../input/json-bounds.ts';
import type { Statement } from '../store/database.ts';
import type { LetterRow } from './books/letters.ts';
import { isMessageSource } from './source-position.ts';

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

const insertSql = `
  insert into audit_dead_letters (id, tenant_id, audit_id, source, principal, producer_id, producer_seq, reason, pointer, message,
                                  raw, seen, chain)
  select d.id, d.tenant_id, d.audit_id, d.source, d.principal, d.producer_id, d.producer_seq, d.reason, d.pointer, d.message,
         decode(d.raw, 'hex'), d.seen, d.chain
    from jsonb_to_recordset($1::jsonb)
      as d(id uuid, tenant_id text, audit_id text, source text, principal text, producer_id uuid,
           producer_seq bigint, reason text, pointer text, message text, raw text, seen bigint, chain text)
    on conflict (id) do`;

/**
 * For an event that a client sends again: increments the count. A settled dead letter becomes open again, and gets its bytes back if
 * a purge has erased them, because the client is told that the event is kept.
 */
const countUpSql = `${insertSql} update
     set seen = audit_dead_letters.seen + excluded.seen, last_seen_at = clock_timestamp(), state = 'open',
         settled_at = null, settled_by = null, raw = excluded.raw,
         chain = coalesce(excluded.chain, audit_dead_letters.chain)`;

/** For a message of a topic that is read again: changes nothing. */
const insertOnceSql = `${insertSql} nothing`;

/**
 * Stores dead letters, including their bytes. Part of the batch's transaction: after its commit, every event of the batch
 * is either chained or kept here.
 *
 * @param chains by id, the tenant of the chain whose record in this batch names the dead letter
 */
export function storeDeadLetters(
  rows: readonly LetterRow[],
  chains: ReadonlyMap<string, string> = new Map(),
): Statement[] {
  const insert = (text: string, letters: readonly LetterRow[]): Statement[] => {
    if (letters.length === 0) return [];
    const values = letters.map(({ facts, raw, seen }) => ({
      ...facts,
      raw: Buffer.from(raw).toString('hex'),
      seen,
      chain: chains.get(facts.id) ?? null,
    }));
    return [{ text, values: [JSON.stringify(values)] }];
  };
  const fromMessages = rows.filter(({ facts }) => isMessageSource(facts.source));
  const others = rows.filter(({ facts }) => !isMessageSource(facts.source));
  return [...insert(insertOnceSql, fromMessages), ...insert(countUpSql, others)];
}
