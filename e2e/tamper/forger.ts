import { canonicalize } from '@tallystick/event';
import {
  type AuditRecord,
  encodeFrontier,
  FrontierBuilder,
  leafHash,
  readRecord,
  sealRecord,
  sha256,
  tileWidth,
  toHex,
  zeroHash,
} from '@tallystick/log';
import type { Queries } from '@tallystick/server/store';

/** A forger with time: what is left in the database fits together again. Not the demonstration's code, on purpose. */

/**
 * Seals every record anew, with what `change` gives in place of its own, and makes hashes, tiles and head fit. Columns that
 * are derived from what was changed are the caller's.
 */
export async function rewriteRecords(
  session: Queries,
  tenantId: string,
  change: (record: AuditRecord) => Partial<Pick<AuditRecord, 'event' | 'ingested_at'>>,
): Promise<{ size: number; root: Uint8Array }> {
  let previousHash = zeroHash;
  const forged: string[] = [];
  for (const [sequence, text] of (await readTexts(session, tenantId)).entries()) {
    const record = readRecord(text);
    const changed = { ...record, ...change(record) };
    const sealed = sealRecord({
      canonicalEvent: canonicalize(changed.event),
      ingest: record.ingest,
      ingestedAt: changed.ingested_at,
      previousHash,
      sequenceNumber: sequence,
      tenantId: record.tenant_id,
    });
    await session.query(
      `update audit_records set record = $3, record_hash = decode($4, 'hex'), previous_hash = decode($5, 'hex')
        where tenant_id = $1 and sequence_number = $2`,
      [tenantId, sequence, sealed.text, sealed.hashHex, previousHash],
    );
    previousHash = sealed.hashHex;
    forged.push(sealed.text);
  }
  return await rewriteTree(session, tenantId, forged);
}

export async function readTexts(session: Queries, tenantId: string): Promise<string[]> {
  const rows = await session.query<{ record: string }>(
    'select record from audit_records where tenant_id = $1 order by sequence_number',
    [tenantId],
  );
  return rows.map((row) => row.record);
}

/** Makes tiles and head fit the given records: a careful attacker leaves no loose end inside the database. */
export async function rewriteTree(
  session: Queries,
  tenantId: string,
  texts: readonly string[],
): Promise<{ size: number; root: Uint8Array }> {
  await session.query('delete from audit_tiles where tenant_id = $1', [tenantId]);
  const frontier = new FrontierBuilder();
  let leaves = '';
  let lastHash = zeroHash;
  for (const text of texts) {
    const hash = sha256(text);
    const leaf = leafHash(hash);
    leaves += toHex(leaf);
    lastHash = toHex(hash);
    let full: Uint8Array | undefined;
    frontier.append(leaf, (level, root) => {
      if (level === 0) full = root;
    });
    if (full === undefined) continue;
    await session.query(
      "insert into audit_tiles (tenant_id, epoch, level, index, root, hashes) values ($1, 1, 0, $2, decode($3, 'hex'), decode($4, 'hex'))",
      [tenantId, frontier.size / tileWidth - 1, toHex(full), leaves],
    );
    leaves = '';
  }
  await session.query(
    "update audit_chain_state set last_sequence = $2, last_hash = decode($3, 'hex'), frontier = decode($4, 'hex') where tenant_id = $1",
    [tenantId, frontier.size - 1, lastHash, toHex(encodeFrontier(frontier.snapshot()))],
  );
  return { size: frontier.size, root: frontier.root() };
}
