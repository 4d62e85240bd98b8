import type { DeadLetter } from '../admit/admit.ts';
import type { Session } from '../store/database.ts';

const insertSql = `
  insert into audit_dead_letters (id, tenant_id, audit_id, source, principal, reason, pointer, message, raw, seen)
  select d.id, d.tenant_id, d.audit_id, d.source, d.principal, d.reason, d.pointer, d.message, decode(d.raw, 'hex'), d.seen
    from jsonb_to_recordset($1::jsonb)
      as d(id uuid, tenant_id text, audit_id text, source text, principal text, reason text, pointer text,
           message text, raw text, seen bigint)
      on conflict (id) do update
     set seen = audit_dead_letters.seen + excluded.seen, last_seen_at = clock_timestamp(),
         state = case when audit_dead_letters.state = 'retried' then 'open' else audit_dead_letters.state end`;

/** Keeps what was refused, raw bytes included. Part of the batch's transaction: after its commit, nothing is lost. */
export async function storeDeadLetters(session: Session, letters: readonly DeadLetter[]): Promise<void> {
  if (letters.length === 0) return;
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
      reason: first.code,
      // Pointers hold the sender's own keys, which may hold what jsonb can't.
      pointer: first.pointer.toWellFormed().replaceAll('\0', '\u2400'),
      message: first.message,
      raw: Buffer.from(letter.raw).toString('hex'),
      seen: same.length,
    };
  });
  await session.query(insertSql, [JSON.stringify(rows)]);
}
