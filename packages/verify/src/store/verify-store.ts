import {
  ChainVerifier,
  decodeFrontier,
  equalBytes,
  formatOrigin,
  frontierRoot,
  indexedColumnNames,
  indexedColumns,
  LogError,
  parseVerifierKey,
  type Verifier,
} from '@tallystick/log';
import {
  distinct,
  findContradictions,
  type JudgedCheckpoint,
  judgeCheckpoint,
  lastCovered,
  readKept,
} from '../checkpoints.ts';
import { Findings, isVouched, type Report, type TrustSource } from '../report.ts';
import { TreeCheck } from '../tree-check.ts';
import {
  type Query,
  readCheckpoints,
  readRecords,
  readStoredHead,
  readTiles,
  type StoredRow,
} from './read-store.ts';

/** Which chain of a store, and what it is held against. */
export interface VerifyStoreOptions {
  readonly tenantId: string;
  /** Name of the log, first part of the origin; given, not read from the store. */
  readonly logName: string;
  /** Verifier keys that the caller trusts, never taken from the store. */
  readonly keys: readonly (string | Verifier)[];
  readonly trust?: TrustSource;
  /** Checkpoints that were kept outside the store, as signed notes: what a rewritten store can't have changed. */
  readonly checkpoints?: readonly string[];
  /** Told, where the verdict is `verified` or `recovered`, the newest note that it stands on: worth keeping. */
  readonly onVouched?: (note: string) => void;
  readonly onProgress?: (records: number, expected: number) => void;
}

/**
 * Verifies a tenant's chain in a Postgres store of any kind, through a query function: every record's bytes, hash, link,
 * position and columns; head and tiles; and the tree against every checkpoint, those in the store and those kept outside.
 * Constant memory.
 *
 * @param query runs one read-only statement; all of them should see one snapshot
 * @throws {LogError} `KEY_MALFORMED`, `NOTE_MALFORMED`, `CHECKPOINT_MALFORMED`, `NOTE_UNVERIFIED` for what the caller gave
 */
export async function verifyStore(query: Query, options: VerifyStoreOptions): Promise<Report> {
  const keys = options.keys.map((key) => (typeof key === 'string' ? parseVerifierKey(key) : key));
  const findings = new Findings();
  const head = await readStoredHead(query, options.tenantId);
  const epoch = head?.epoch ?? 1;
  const origin = formatOrigin({ logName: options.logName, tenantId: options.tenantId, epoch });

  const outside = await readKept(options.checkpoints ?? [], origin, keys, findings);
  const inside = await judgeStored(
    await readCheckpoints(query, options.tenantId, epoch),
    origin,
    keys,
    findings,
  );
  const trusted = distinct([...outside, ...inside].filter((checkpoint) => checkpoint.signedBy.length > 0));
  findContradictions(trusted, findings);

  const tree = new TreeCheck(trusted, findings);
  const chain = new ChainVerifier({ tenantId: options.tenantId, origin });
  const tileRoots = new Map<string, Uint8Array>();
  let records = 0;
  for await (const row of readRecords(query, options.tenantId, epoch)) {
    checkRow(row, chain, tree, tileRoots, findings);
    records++;
    if (records % 1_000 === 0) options.onProgress?.(records, (head?.last_sequence ?? 0) + 1);
  }
  tree.finish(chain.nextSequence);
  checkHead(head, chain, tree, findings);
  await checkTiles(query, options.tenantId, epoch, tileRoots, findings);
  return conclude({
    ...options,
    keys,
    epoch,
    records,
    trusted,
    findings,
    head: records > 0 ? chain.headHash : null,
  });
}

function checkRow(
  row: StoredRow,
  chain: ChainVerifier,
  tree: TreeCheck,
  tileRoots: Map<string, Uint8Array>,
  findings: Findings,
): void {
  const {
    hash,
    record,
    findings: found,
  } = chain.check({
    text: row.record,
    hashHex: row.record_hash,
    sequenceNumber: row.sequence_number,
  });
  for (const finding of found) findings.add(finding);
  tree.append(hash, (level, root) => {
    tileRoots.set(`${level}/${Math.floor((tree.size - 1) / 256 ** (level + 1))}`, root);
  });
  if (record === undefined) return;
  const mismatch = (column: string, expected: unknown, actual: unknown) =>
    findings.add({
      code: 'COLUMN_MISMATCH',
      sequence_number: row.sequence_number,
      expected: `${column}: ${expected}`,
      found: String(actual),
    });
  const columns = indexedColumns(record.event);
  for (const name of indexedColumnNames) {
    if (columns[name] !== row[name]) mismatch(name, columns[name], row[name]);
  }
  if (record.ingested_at !== row.ingested_at) mismatch('ingested_at', record.ingested_at, row.ingested_at);
  if (record.previous_hash !== row.previous_hash) {
    mismatch('previous_hash', record.previous_hash, row.previous_hash);
  }
}

function checkHead(
  head: Awaited<ReturnType<typeof readStoredHead>>,
  chain: ChainVerifier,
  tree: TreeCheck,
  findings: Findings,
): void {
  if (head === undefined) {
    if (tree.size > 0) findings.add({ code: 'HEAD_MISMATCH', sequence_number: tree.size, found: 'no head' });
    return;
  }
  const end = chain.nextSequence;
  if (head.last_sequence + 1 !== end) {
    findings.add({
      code: 'HEAD_MISMATCH',
      sequence_number: Math.min(head.last_sequence + 1, end),
      expected: `${head.last_sequence + 1} records`,
      found: `${end}`,
    });
  } else if (head.last_hash !== chain.headHash) {
    findings.add({
      code: 'HEAD_MISMATCH',
      sequence_number: end - 1,
      expected: head.last_hash,
      found: chain.headHash,
    });
  } else if (!sameRoot(head, tree)) {
    findings.add({
      code: 'HEAD_MISMATCH',
      sequence_number: end - 1,
      expected: 'the tree of the records',
      found: 'another',
    });
  }
}

function sameRoot(head: { last_sequence: number; frontier: Uint8Array }, tree: TreeCheck): boolean {
  try {
    return equalBytes(frontierRoot(decodeFrontier(head.last_sequence + 1, head.frontier)), tree.root());
  } catch (error) {
    if (error instanceof LogError) return false;
    throw error;
  }
}

async function checkTiles(
  query: Query,
  tenantId: string,
  epoch: number,
  expected: Map<string, Uint8Array>,
  findings: Findings,
): Promise<void> {
  for await (const tile of readTiles(query, tenantId, epoch)) {
    const key = `${tile.level}/${tile.index}`;
    const root = expected.get(key);
    expected.delete(key);
    if (root !== undefined && equalBytes(root, tile.root) && equalBytes(root, tile.rootOfHashes)) continue;
    findings.add({
      code: 'TILE_MISMATCH',
      sequence_number: tile.index * 256 ** (tile.level + 1),
      found: `tile ${key}`,
    });
  }
  for (const key of expected.keys()) {
    const [level, index] = key.split('/').map(Number) as [number, number];
    findings.add({
      code: 'TILE_MISMATCH',
      sequence_number: index * 256 ** (level + 1),
      expected: `tile ${key}`,
    });
  }
}

/** Checkpoints in the store may have been changed with it: one that can't even be read is a finding, not an error. */
async function judgeStored(
  notes: readonly { readonly size: number; readonly note: string }[],
  origin: string,
  keys: readonly Verifier[],
  findings: Findings,
): Promise<JudgedCheckpoint[]> {
  const judged: JudgedCheckpoint[] = [];
  for (const { size, note } of notes) {
    try {
      judged.push(await judgeCheckpoint(note, origin, keys, findings));
    } catch (error) {
      if (!(error instanceof LogError)) throw error;
      findings.add({
        code: 'CHECKPOINT_SIGNATURE_INVALID',
        sequence_number: lastCovered({ size }),
        found: error.message,
      });
    }
  }
  return judged;
}

function conclude(seen: {
  readonly tenantId: string;
  readonly keys: readonly Verifier[];
  readonly trust?: TrustSource;
  readonly epoch: number;
  readonly records: number;
  readonly trusted: readonly JudgedCheckpoint[];
  readonly findings: Findings;
  readonly head: string | null;
  readonly onVouched?: (note: string) => void;
}): Report {
  const { findings, trusted, records } = seen;
  const newest = trusted.reduce<JudgedCheckpoint | undefined>(
    (best, checkpoint) => (best === undefined || checkpoint.size > best.size ? checkpoint : best),
    undefined,
  );
  let verdict: Report['verdict'];
  if (findings.count > 0) verdict = 'broken';
  else if (newest === undefined || newest.size === 0 || records === 0) {
    verdict = 'not_verifiable';
    const code = records > 0 && newest === undefined ? 'CHECKPOINT_UNTRUSTED' : 'NOTHING_COVERED';
    findings.add({ code, sequence_number: null });
  } else verdict = seen.epoch > 1 ? 'recovered' : 'verified';
  const vouched = isVouched(verdict);
  if (vouched) seen.onVouched?.(newest!.note);
  return {
    verdict,
    tenant_id: seen.tenantId,
    records,
    covered_to: vouched ? newest!.size - 1 : null,
    unsigned_tail: vouched ? records - newest!.size : 0,
    head: seen.head,
    trust: {
      source: seen.trust ?? (seen.keys.length > 0 ? 'given' : 'none'),
      keys: newest?.signedBy ?? [],
    },
    findings: findings.list,
  };
}
