import { canonicalize } from '@tallystick/event';
import {
  type AuditRecord,
  encodeFrontier,
  FrontierBuilder,
  formatCheckpoint,
  formatOrigin,
  leafHash,
  readRecord,
  type SigningKey,
  sealRecord,
  sha256,
  signNote,
  tileWidth,
  toHex,
  zeroHash,
} from '@tallystick/log';
import type { Queries } from '@tallystick/server/store';

/**
 * Tools of an attacker who owns the database and has time. After each of them the database is consistent again.
 * The demo's attacks and the tests in e2e/tamper use them.
 */

/** A tree over the records of one tenant. */
export interface ForgedTree {
  readonly size: number;
  readonly root: Uint8Array;
}

/**
 * Seals every record of a tenant again, with the changes that `change` returns, and makes hashes, tiles and chain state match. The
 * caller updates the columns that are derived from a changed field.
 */
export async function rewriteRecords(
  session: Queries,
  tenantId: string,
  change: (record: AuditRecord) => Partial<Pick<AuditRecord, 'event' | 'ingested_at'>>,
): Promise<ForgedTree> {
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

/** The stored records of a tenant as text, in chain order. */
export async function readTexts(session: Queries, tenantId: string): Promise<string[]> {
  const rows = await session.query<{ record: string }>(
    'select record from audit_records where tenant_id = $1 order by sequence_number',
    [tenantId],
  );
  return rows.map((row) => row.record);
}

/** Makes tiles and chain state match the given records, so that no other table contradicts them. */
export async function rewriteTree(
  session: Queries,
  tenantId: string,
  texts: readonly string[],
): Promise<ForgedTree> {
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
    `update audit_chain_state set last_sequence = $2, last_hash = decode($3, 'hex'), frontier = decode($4, 'hex'), last_ingested_at =
       (select ingested_at from audit_records where tenant_id = $1 order by sequence_number desc limit 1) where tenant_id = $1`,
    [tenantId, frontier.size - 1, lastHash, toHex(encodeFrontier(frontier.snapshot()))],
  );
  return { size: frontier.size, root: frontier.root() };
}

/** Replaces all checkpoints of a tenant by one that signs the forged tree. */
export async function replaceCheckpoints(
  session: Queries,
  log: { readonly logName: string; readonly tenantId: string },
  { size, root }: ForgedTree,
  key: SigningKey,
): Promise<void> {
  const { tenantId } = log;
  const origin = formatOrigin({ ...log, epoch: 1 });
  const note = await signNote(formatCheckpoint({ origin, size, root }), [{ name: origin, key }]);
  await session.query('delete from audit_checkpoints where tenant_id = $1', [tenantId]);
  await session.query(
    "insert into audit_checkpoints (tenant_id, epoch, size, root, note) values ($1, 1, $2, decode($3, 'hex'), $4)",
    [tenantId, size, toHex(root), note],
  );
}
