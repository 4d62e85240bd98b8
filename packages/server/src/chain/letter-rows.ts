import { createHash } from 'node:crypto';
import { formatLetterEntry, type LetterFacts, letterDigest } from '@tallystick/log';
import type { Session, Statement } from '../store/database.ts';
import type { DeadLetter } from './dead-letters.ts';
import { isMessageSource } from './source-position.ts';

/** A dead letter as its row stores it. The same one may have been refused several times in a batch. */
export interface LetterRow {
  readonly facts: LetterFacts;
  readonly raw: Uint8Array;
  readonly seen: number;
}

/** A dead letter that the store has already. */
export interface StoredLetter {
  readonly facts: LetterFacts;
  readonly state: 'open' | 'retried' | 'purged';
}

/** A violation may quote the event, which may contain characters that jsonb cannot store. */
function toJsonbText(text: string): string {
  return text.toWellFormed().replaceAll('\0', '\u2400');
}

/** One row for each dead letter, in the order of their first occurrence. */
export function letterRows(deadLetters: readonly DeadLetter[]): LetterRow[] {
  const byId = Map.groupBy(deadLetters, ({ id }) => id);
  return [...byId.values()].map((same) => {
    const deadLetter = same[0]!;
    const first = deadLetter.violations[0]!;
    const facts = {
      id: deadLetter.id,
      tenant_id: deadLetter.tenantId ?? null,
      audit_id: deadLetter.auditId ?? null,
      source: deadLetter.source,
      principal: deadLetter.principal ?? null,
      producer_id: deadLetter.producerId ?? null,
      producer_seq: deadLetter.producerSeq ?? null,
      reason: toJsonbText(first.code),
      pointer: toJsonbText(first.pointer),
      message: toJsonbText(first.message),
    };
    return { facts, raw: deadLetter.raw, seen: same.length };
  });
}

/** How a record names a dead letter. */
export function letterEntry(facts: LetterFacts, raw: Uint8Array): string {
  const digest = createHash('sha256').update(raw).digest('hex');
  return formatLetterEntry({ id: facts.id, reason: facts.reason, raw: digest, about: letterDigest(facts) });
}

/**
 * The entry of a dead letter that needs a record: it is new, or it was settled and is open again. A dead letter that only
 * counts up has its record.
 */
export function newEntry({ facts, raw }: LetterRow, stored: StoredLetter | undefined): string | undefined {
  if (stored === undefined) return letterEntry(facts, raw);
  const isReopened = stored.state !== 'open' && !isMessageSource(facts.source);
  return isReopened ? letterEntry(stored.facts, raw) : undefined;
}

const findSql = `
  select id::text as id, tenant_id, audit_id, source, principal, producer_id::text as producer_id, producer_seq, reason,
         pointer, message, state
    from audit_dead_letters where id = any ($1::uuid[])`;

/** Looks dead letters up by their ids, and adds those that the store has to `found`. */
export async function findStoredLetters(
  session: Session,
  rows: readonly LetterRow[],
  found: Map<string, StoredLetter>,
): Promise<void> {
  const ids = rows.map(({ facts }) => facts.id).filter((id) => !found.has(id));
  if (ids.length === 0) return;
  const stored = await session.query<LetterFacts & { readonly state: StoredLetter['state'] }>(findSql, [ids]);
  for (const { state, ...facts } of stored) found.set(facts.id, { facts, state });
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
