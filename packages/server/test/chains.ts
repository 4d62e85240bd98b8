import {
  type AuditRecord,
  ChainVerifier,
  FrontierBuilder,
  formatOrigin,
  indexedColumnNames,
  indexedColumns,
  leafHash,
  proveInclusion,
  tileWidth,
  toHex,
  verifyInclusion,
} from '@tallystick/log';
import { expect } from 'vitest';
import type { LogId } from '../src/proofs/tree-reader.ts';
import { nodeReader, readTree, rootOf } from '../src/proofs/tree-reader.ts';
import { type Database, type Session, writer } from '../src/store/database.ts';
import { logName } from './events.ts';

export interface StoredRow {
  readonly epoch: number;
  readonly sequence_number: number;
  readonly record_hash: string;
  readonly ingested_at: Date;
  readonly record: string;
}

/** A tenant's records as stored, in the order of their numbers. */
export async function recordsOf(database: Database, tenantId: string): Promise<StoredRow[]> {
  return await database.query<StoredRow>(
    writer,
    `select *, encode(record_hash, 'hex') as record_hash, audit_id::text as audit_id
       from audit_records where tenant_id = $1 order by epoch, sequence_number`,
    [tenantId],
  );
}

/**
 * Checks all of a tenant's chain: bytes, links, numbers, columns, head, tree and tiles.
 *
 * @param epoch the current one
 * @returns its records' contents, genesis first
 */
export async function expectSoundChain(
  database: Database,
  tenantId: string,
  epoch = 1,
): Promise<AuditRecord[]> {
  const rows = (await recordsOf(database, tenantId)).filter((row) => row.epoch === epoch);
  const origin = formatOrigin({ logName, tenantId, epoch });
  const verifier = new ChainVerifier({ tenantId, origin });
  const tree = new FrontierBuilder();
  const leaves: Uint8Array[] = [];
  const tiles: { level: number; root: Uint8Array }[] = [];
  const records = rows.map((row) => {
    const { hash, record, findings } = verifier.check({
      text: row.record,
      hashHex: row.record_hash,
      sequenceNumber: row.sequence_number,
    });
    expect(findings).toEqual([]);
    expectColumns(row, record!);
    leaves.push(leafHash(hash));
    tree.append(leaves.at(-1)!, (level, root) => tiles.push({ level, root }));
    return record!;
  });
  await database.transaction(writer, async (session) => {
    const stored = await readTree(session, tenantId);
    expect(stored).toMatchObject({ epoch, frontier: { size: records.length } });
    expect(toHex(rootOf(stored!))).toBe(toHex(tree.root()));
    await expectHead(session, tenantId, verifier);
    await expectTiles(session, stored!, leaves, tiles);
  });
  return records;
}

function expectColumns(row: object, record: AuditRecord): void {
  const columns = indexedColumns(record.event);
  const stored = row as { [column: string]: unknown };
  for (const name of indexedColumnNames) {
    const value = stored[name];
    // Compared as texts: a column must be exactly what a verifier derives from the record.
    const text = value instanceof Date ? value.toISOString() : value;
    if (text !== columns[name]) expect({ [name]: text }).toEqual({ [name]: columns[name] });
  }
  expect((stored.ingested_at as Date).toISOString()).toBe(record.ingested_at);
  expect(stored.tenant_id).toBe(record.tenant_id);
}

async function expectHead(session: Session, tenantId: string, verifier: ChainVerifier): Promise<void> {
  const [row] = await session.query(
    `select last_sequence, encode(last_hash, 'hex') as last_hash from audit_chain_state where tenant_id = $1`,
    [tenantId],
  );
  expect(row).toEqual({ last_sequence: verifier.nextSequence - 1, last_hash: verifier.headHash });
}

async function expectTiles(
  session: Session,
  log: LogId,
  leaves: readonly Uint8Array[],
  expected: readonly { readonly level: number; readonly root: Uint8Array }[],
): Promise<void> {
  const stored = await session.query<{ level: number; index: number; root: string; hashes: string }>(
    `select level, index, encode(root, 'hex') as root, encode(hashes, 'hex') as hashes
       from audit_tiles where tenant_id = $1 and epoch = $2 order by level, index`,
    [log.tenantId, log.epoch],
  );
  const roots = (level: number) => expected.filter((tile) => tile.level === level).map((tile) => tile.root);
  const expectedRows = [0, 1, 2].flatMap((level) => {
    const row = level === 0 ? leaves : roots(level - 1);
    return roots(level).map((root, index) => ({
      level,
      index,
      root: toHex(root),
      hashes: row
        .slice(index * tileWidth, (index + 1) * tileWidth)
        .map(toHex)
        .join(''),
    }));
  });
  expect(stored).toEqual(expectedRows);
}

/** Checks the inclusion proof of each of these leaves with the root of the head. Throws if a proof does not verify. */
export async function expectProvable(
  database: Database,
  tenantId: string,
  indexes: readonly number[],
): Promise<void> {
  await database.transaction(writer, async (session) => {
    const tree = (await readTree(session, tenantId))!;
    const { size } = tree.frontier;
    const nodes = nodeReader(session, tree, size);
    for (const index of indexes) {
      const [row] = await session.query<{ record_hash: Uint8Array }>(
        'select record_hash from audit_records where tenant_id = $1 and sequence_number = $2',
        [tenantId, index],
      );
      const proof = await proveInclusion(index, size, nodes);
      verifyInclusion(index, size, leafHash(row!.record_hash), proof, rootOf(tree));
    }
  });
}
