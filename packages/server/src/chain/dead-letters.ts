import type { Statement } from '../store/database.ts';
import type { DeadLetter } from './dead-letter.ts';
import { isMessage } from './message-source.ts';

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
