import { randomBytes } from 'node:crypto';
import { canonicalize } from '@tallystick/event';
import {
  type AuditRecord,
  encodeFrontier,
  FrontierBuilder,
  formatCheckpoint,
  formatOrigin,
  importSigningKey,
  leafHash,
  readRecord,
  sealRecord,
  sha256,
  signNote,
  tileWidth,
  toHex,
  zeroHash,
} from '@tallystick/log';
import type { Session } from '@tallystick/server/store';

/** What somebody with the database password, a debugger and an afternoon can do to a trail. */
export interface Attack {
  readonly name: string;
  readonly story: string;
  /** Tampers as the owner of the database, triggers switched off. */
  readonly run: (session: Session, target: Target) => Promise<void>;
}

export interface Target {
  readonly tenantId: string;
  readonly logName: string;
  /** A record in the middle of the chain that the attacker wants to change or lose. */
  readonly sequence: number;
}

const editField: Attack = {
  name: 'edit a field',
  story: 'the verdict of one decision is turned around, in the record and in its column',
  run: async (session, { tenantId, sequence }) => {
    await session.query(
      `update audit_records
          set record = replace(record, '"outcome_status":"success"', '"outcome_status":"denied"'), outcome_status = 'denied'
        where tenant_id = $1 and sequence_number = $2`,
      [tenantId, sequence],
    );
  },
};

const deleteRow: Attack = {
  name: 'delete a row',
  story: 'one inconvenient record disappears',
  run: async (session, { tenantId, sequence }) => {
    await session.query('delete from audit_records where tenant_id = $1 and sequence_number = $2', [
      tenantId,
      sequence,
    ]);
  },
};

const cutTail: Attack = {
  name: 'cut the tail',
  story: 'the last ten records are dropped; head, tree and checkpoints are set back to match',
  run: async (session, target) => {
    const records = await readTexts(session, target.tenantId);
    await session.query('delete from audit_records where tenant_id = $1 and sequence_number >= $2', [
      target.tenantId,
      records.length - 10,
    ]);
    await session.query('delete from audit_checkpoints where tenant_id = $1', [target.tenantId]);
    await rewriteTree(session, target, records.slice(0, -10));
  },
};

const swapRows: Attack = {
  name: 'swap two rows',
  story: 'two records trade places, so that the effect comes before its cause',
  run: async (session, { tenantId, sequence }) => {
    const parked = 2 ** 40;
    for (const [from, to] of [
      [sequence, parked],
      [sequence + 1, sequence],
      [parked, sequence + 1],
    ]) {
      await session.query(
        'update audit_records set sequence_number = $3 where tenant_id = $1 and sequence_number = $2',
        [tenantId, from, to],
      );
    }
  },
};

const rewriteChain: Attack = {
  name: 'rewrite the whole chain',
  story: 'a record is changed; every hash, tile, the head and a checkpoint under a new key are made to fit',
  run: async (session, target) => {
    const { size, root } = await rewriteRecords(session, target, ({ event, sequence_number }) =>
      sequence_number === target.sequence ? { event: { ...event, actor_id: 'somebody-else' } } : {},
    );
    await session.query(
      "update audit_records set actor_id = 'somebody-else' where tenant_id = $1 and sequence_number = $2",
      [target.tenantId, target.sequence],
    );
    const origin = formatOrigin({ logName: target.logName, tenantId: target.tenantId, epoch: 1 });
    const key = await importSigningKey(randomBytes(32));
    const note = await signNote(formatCheckpoint({ origin, size, root }), [{ name: origin, key }]);
    await session.query('delete from audit_checkpoints where tenant_id = $1', [target.tenantId]);
    await session.query(
      "insert into audit_checkpoints (tenant_id, epoch, size, root, note) values ($1, 1, $2, decode($3, 'hex'), $4)",
      [target.tenantId, size, toHex(root), note],
    );
  },
};

export const attacks: readonly Attack[] = [editField, deleteRow, cutTail, swapRows, rewriteChain];

/**
 * Seals every record anew, with what `change` gives in place of its own, and makes hashes, tiles and head fit. Columns that
 * are derived from what was changed are the caller's.
 */
async function rewriteRecords(
  session: Session,
  target: Target,
  change: (record: AuditRecord) => Partial<Pick<AuditRecord, 'event' | 'ingested_at'>>,
): Promise<{ size: number; root: Uint8Array }> {
  let previousHash = zeroHash;
  const forged: string[] = [];
  for (const [sequence, text] of (await readTexts(session, target.tenantId)).entries()) {
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
      [target.tenantId, sequence, sealed.text, sealed.hashHex, previousHash],
    );
    previousHash = sealed.hashHex;
    forged.push(sealed.text);
  }
  return await rewriteTree(session, target, forged);
}

async function readTexts(session: Session, tenantId: string): Promise<string[]> {
  const rows = await session.query<{ record: string }>(
    'select record from audit_records where tenant_id = $1 order by sequence_number',
    [tenantId],
  );
  return rows.map((row) => row.record);
}

/** Makes tiles and head fit the given records: a careful attacker leaves no loose end inside the database. */
async function rewriteTree(
  session: Session,
  { tenantId }: Target,
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
