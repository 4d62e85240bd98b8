import {
  type AuditRecord,
  type Checkpoint,
  formatOrigin,
  type KeyRotation,
  parseVerifierKey,
  type Verifier,
} from '@tallystick/log';
import {
  distinct,
  findContradictions,
  findEquivocation,
  type JudgedCheckpoint,
  judgeStored,
  readAccepted,
  readKept,
} from '../checkpoints.ts';
import { ClosedEpochs } from '../closed/closed-epochs.ts';
import { Findings, isTrusted, type Report, type TrustSource, verdictOf } from '../report.ts';
import { TreeCheck } from '../tree-check.ts';
import { type TrustedKeys, trustedKeys } from '../trusted-keys.ts';
import { checkTables, type RowsNotOnRecord } from './check-tables.ts';
import { checkClosedEpochs } from './closed-store-check.ts';
import { checkHead } from './head-check.ts';
import { checkHourlyCounts } from './hourly-counts/check-hourly-counts.ts';
import { type Query, readCheckpoints, readRecords, readStoredHead } from './read-store.ts';
import { RecordsCheck } from './records-check.ts';
import { findStrays, readListedEpochs, strayEpochs, strayFinding } from './strays.ts';
import { checkTermIndexes } from './term-index/check-term-indexes.ts';
import { TileCheck } from './tile-check.ts';

/** Which chain of a store to verify, and what to trust. */
export interface VerifyStoreOptions {
  readonly tenantId: string;
  /** Name of the log and first part of the origin. It is given by the caller and not read from the store. */
  readonly logName: string;
  /** Verifier keys that the caller trusts. They must not come from the store. */
  readonly keys: readonly (string | Verifier)[];
  /** Where the keys came from; only reported. @defaultValue 'given', or 'none' without keys */
  readonly trust?: TrustSource;
  /** Rotations of the log's key that the caller knows, oldest first. They must not come from the store. */
  readonly rotations?: readonly KeyRotation[];
  /** Checkpoints that were kept outside the store, as signed notes. Whoever rewrote the store could not change them. */
  readonly checkpoints?: readonly string[];
  /** Signed notes that an earlier verification accepted. They count whatever key signed them. */
  readonly kept?: readonly string[];
  /** Signed notes of closed epochs that earlier verifications accepted. */
  readonly keptOfClosed?: readonly string[];
  /** Called with two notes that contradict each other, checkpoints or rotations. Keep both: they are evidence against the log. */
  readonly onEquivocation?: (first: string, second: string) => void;
  /** Called with the newest trusted note where the verdict is `verified` or `recovered`. Keep it for the next time. */
  readonly onTrusted?: (note: string) => void;
  /**
   * Tenant of the service's own records, whose verification also covers the API keys. @defaultValue 'tallystick'
   */
  readonly serviceTenant?: string | undefined;
  /** Called with each record that can be read, and the hash of its bytes. */
  readonly onRecord?: (record: AuditRecord, hash: Uint8Array) => void;
  /** Called from time to time with the number of records that have been read. */
  readonly onProgress?: (records: number, expected: number) => void;
}

/**
 * Verifies a tenant's chain in any Postgres store, through a query function. It checks every record's bytes, hash, link,
 * position and columns, the head, the tiles, and the tree against every checkpoint in the store and outside, and the records
 * of closed epochs. It compares the tables that change, such as API keys and approvals, with the records of the changes. Memory does not grow with
 * the chain, but for one hash per 256 records, and for the dead letters.
 *
 * @param query runs one read-only statement. All statements should see one snapshot
 * @throws {LogError} `KEY_MALFORMED`, `NOTE_MALFORMED`, `CHECKPOINT_MALFORMED`, `NOTE_UNVERIFIED` for the options
 */
export async function verifyStore(query: Query, options: VerifyStoreOptions): Promise<Report> {
  const { tenantId } = options;
  const keys = options.keys.map((key) => (typeof key === 'string' ? parseVerifierKey(key) : key));
  const findings = new Findings();
  const head = await readStoredHead(query, tenantId);
  const epoch = head?.epoch ?? 1;
  const origin = formatOrigin({ logName: options.logName, tenantId, epoch });

  const ofLog = await trustedKeys(origin, keys, options.rotations ?? [], findings);
  const outside = await readKept(options.checkpoints ?? [], ofLog, findings);
  const inside = await judgeStored(await readCheckpoints(query, tenantId, epoch), ofLog, findings);
  const trusted = distinct([...outside, ...inside].filter((checkpoint) => checkpoint.signedBy.length > 0));
  const compared = distinct([...readAccepted(options.kept ?? [], origin), ...trusted]);
  const required = distinct<Checkpoint>([...ofLog.handovers, ...compared]);
  findContradictions(required, findings);

  const tree = new TreeCheck(required, findings);
  const tiles = new TileCheck();
  const closed = new ClosedEpochs(tenantId, origin, options.keptOfClosed ?? [], findings);
  const onRecord = (record: AuditRecord, hash: Uint8Array) => {
    if (record.sequence_number === 0) closed.readFrom(record);
    options.onRecord?.(record, hash);
  };
  const records = new RecordsCheck({ tenantId, origin, tree, findings, onRecord });
  for await (const row of readRecords(query, tenantId, epoch)) {
    const mismatches = records.check(row, (level, root) => tiles.expect(level, root, tree.size));
    for (const { column, expected, found } of mismatches) {
      findings.add({
        code: 'COLUMN_MISMATCH',
        sequence_number: row.sequence_number,
        expected: `${column}: ${expected}`,
        found: String(found),
      });
    }
    if (records.records % 1_000 === 0) {
      options.onProgress?.(records.records, (head?.last_sequence ?? 0) + 1);
    }
  }
  tree.finish(records.nextSequence);
  checkHead(head, records, tree, findings);
  await tiles.compare(query, { tenantId, epoch }, findings);
  await checkClosedEpochs(query, tenantId, closed, findings);
  await findStrayRows(query, tenantId, epoch, closed, findings);
  const whole = { tenantId, epoch, from: 0, to: records.nextSequence - 1, others: true };
  await checkTermIndexes(query, whole, findings);
  await checkHourlyCounts(query, whole, findings);
  const notOnRecord = await checkTables(query, { ...options, epoch }, findings);
  const contradiction = findEquivocation(compared, tree) ?? ofLog.twoSuccessors;
  if (contradiction !== undefined) options.onEquivocation?.(...contradiction);
  return conclude(options, { keys: ofLog, epoch, records, trusted, findings, closed, notOnRecord });
}

/** Most strays that are reported one by one. */
const maxStrays = 100;

/**
 * Reports the rows of epochs that the chain neither has nor closed. What is wrong within its own epochs is reported already:
 * their rows were read to the end.
 */
async function findStrayRows(
  query: Query,
  tenantId: string,
  current: number,
  closed: ClosedEpochs,
  findings: Findings,
): Promise<void> {
  const listed = await readListedEpochs(query, tenantId);
  // Genesis records of earlier versions state nothing.
  const states = closed.stated.length > 0;
  const isClosed = (epoch: number) =>
    states ? closed.stated.some((one) => one.epoch === epoch) : epoch >= 1 && epoch < current;
  const epochs = states ? closed.stated : listed.filter(({ epoch }) => isClosed(epoch));
  const ranges = [current, ...epochs.map(({ epoch }) => epoch)].map((epoch) => ({
    epoch,
    last_sequence: Number.MAX_SAFE_INTEGER,
  }));
  for (const stray of strayEpochs(listed, isClosed)) findings.add(strayFinding(stray));
  for (const stray of await findStrays(query, tenantId, ranges, maxStrays)) {
    if (!ranges.some(({ epoch }) => epoch === stray.epoch)) findings.add(strayFinding(stray));
  }
}

function conclude(
  { tenantId, trust, keys: given, onTrusted }: VerifyStoreOptions,
  seen: {
    readonly keys: TrustedKeys;
    readonly epoch: number;
    readonly records: RecordsCheck;
    readonly trusted: readonly JudgedCheckpoint[];
    readonly findings: Findings;
    readonly closed: ClosedEpochs;
    readonly notOnRecord: RowsNotOnRecord;
  },
): Report {
  const { keys, epoch, trusted, findings } = seen;
  const closed = seen.closed.report(true);
  const { records, headHash } = seen.records;
  const newest = trusted.reduce<JudgedCheckpoint | undefined>(
    (best, checkpoint) => (best === undefined || checkpoint.size > best.size ? checkpoint : best),
    undefined,
  );
  const isCovered = newest !== undefined && newest.size > 0 && records > 0;
  const verdict = verdictOf({ isBroken: findings.count > 0, isCovered, epoch });
  if (verdict === 'not_verifiable') {
    const code = records > 0 && newest === undefined ? 'CHECKPOINT_UNTRUSTED' : 'NOTHING_COVERED';
    findings.add({ code, sequence_number: null });
  }
  const trustedNote = isTrusted(verdict) ? newest : undefined;
  if (trustedNote !== undefined) onTrusted?.(trustedNote.note);
  return {
    verdict,
    tenant_id: tenantId,
    records,
    covered_to: trustedNote === undefined ? null : trustedNote.size - 1,
    unsigned_tail: trustedNote === undefined ? 0 : records - trustedNote.size,
    head: records > 0 ? headHash : null,
    trust: { source: trust ?? (given.length > 0 ? 'given' : 'none'), keys: newest?.signedBy ?? [] },
    findings: findings.list,
    ...(closed !== undefined && { closed }),
    ...(keys.followed.length > 0 && { rotations: keys.followed }),
    ...seen.notOnRecord,
  };
}
