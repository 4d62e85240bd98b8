import { LogError, parseOrigin, readRecord } from '@tallystick/log';
import type { VerifyReport } from '@tallystick/protocol';
import {
  ClosedEpochs,
  checkClosedEpochs,
  checkHourlyCounts,
  checkTables,
  checkTermIndexes,
  isTrusted,
  type Query,
  type RowsNotOnRecord,
  type Stray,
  strayFinding,
  verdictOf,
} from '@tallystick/verify';
import { ServerError } from '../../errors.ts';
import { type Database, writer } from '../../store/database.ts';
import { readSql } from '../../store/sql.ts';
import { findStrays } from '../../store/strays.ts';
import { readerOf, type Trail, type TrailHead } from '../../trail/trail.ts';
import type { Signer } from '../signer.ts';
import type { LastSigned } from '../signer-store.ts';
import type { TenantLogs } from '../tenant-logs.ts';
import type { LogId } from '../tree-reader.ts';
import { checkRange, type SequenceRange } from './check-range.ts';
import { keepReport } from './history.ts';
import { maxFindings, RedactedFindings } from './redacted-findings.ts';

const rangeByTime = readSql('range-by-time');

/** What a verification reads. An `AuditService` has all of it. */
export interface VerifySources {
  readonly database: Database;
  readonly signer: Signer;
  readonly logs: TenantLogs;
  /** Tenant of the service's own records. */
  readonly serviceTenant: string;
}

/** Which part of a chain to verify; the whole chain where no bound is given. */
export interface VerifyRequest {
  readonly tenantId: string;
  readonly sequence_from?: number | undefined;
  readonly sequence_to?: number | undefined;
  /** RFC 3339. `ingested_from` is included, `ingested_to` is not. */
  readonly ingested_from?: string | undefined;
  readonly ingested_to?: string | undefined;
  /** Signs a checkpoint first, so that it covers the newest records. @defaultValue false */
  readonly fresh?: boolean | undefined;
  /** Most records that one call checks. @defaultValue 100000 */
  readonly maxRecords?: number | undefined;
  /** Who asked for it: a principal. It is kept with the result. */
  readonly by?: string | undefined;
  /** Ends the check before its next page: the call then rejects with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * Compares a part of a chain with itself and with the last checkpoint in the signer's own store, outside the database. The
 * result is kept in `audit_verification_log` ({@link keepReport}). Memory is bounded. The records that one call checks are bounded too: a longer range takes
 * several calls. The call that reaches the end of the chain also compares the books, and for the accounts of producers it reads all
 * records of the chain again.
 *
 * @throws {ServerError} `NOT_FOUND` for a tenant that neither the store nor the signer knows
 */
export async function verifyRange(
  sources: VerifySources,
  trail: Trail,
  request: VerifyRequest,
): Promise<VerifyReport> {
  const report = await verify(sources, trail, request);
  await keepReport(sources.database, report, {
    by: request.by,
    reachesEnd: report.complete && hasNoEnd(request),
  });
  return report;
}

/** Whether the requested range ends with the newest record of the chain. */
function hasNoEnd({ sequence_to, ingested_to }: VerifyRequest): boolean {
  return sequence_to === undefined && ingested_to === undefined;
}

async function verify(
  { database, signer, logs, serviceTenant }: VerifySources,
  trail: Trail,
  request: VerifyRequest,
): Promise<VerifyReport> {
  const { tenantId } = request;
  if (request.fresh === true || signer.store.newestOf(tenantId) === undefined) {
    await signIfRunning(logs, trail, tenantId);
  }
  const signed = signer.store.newestOf(tenantId);
  // Read after the checkpoint, so the head of an honest chain cannot lie before it.
  const newestHead = await trail.head(tenantId);
  if (newestHead === undefined && signed === undefined) throw new ServerError('NOT_FOUND', 'no such tenant');
  const epoch = Math.max(signed === undefined ? 0 : parseOrigin(signed.origin).epoch, newestHead?.epoch ?? 0);
  const origin = signer.originOf({ tenantId, epoch });
  const checkpoint = signed?.origin === origin ? signed : undefined;
  const head = newestHead?.epoch === epoch ? newestHead : undefined;

  const findings = new RedactedFindings();
  const range = head === undefined ? undefined : await rangeOf(database, request, head);
  const checked =
    head === undefined || range === undefined
      ? undefined
      : await checkRange(database, {
          tenantId,
          origin,
          head,
          signed: checkpoint,
          range,
          findings,
          signal: request.signal,
        });
  if (checkpoint !== undefined) findMissingTail(checkpoint, head, request, findings);
  const closed = new ClosedEpochs(tenantId, origin, [], findings);
  if (range?.from === 0)
    await checkClosed(database, trail, { tenantId, epoch }, closed, request.signal, findings);
  const closedReport = closed.report(true);
  for (const stray of await readStrays(database, signer, tenantId)) findings.add(strayFinding(stray));
  if (range !== undefined) {
    const query: Query = async (sql, parameters) => {
      request.signal?.throwIfAborted();
      return await database.query(writer, sql, parameters);
    };
    const { from, to } = range;
    const part = { tenantId, epoch, from, to, others: from === 0 };
    await checkTermIndexes(query, part, findings);
    await checkHourlyCounts(query, part, findings);
  }
  // The books belong to the chain as a whole: its last part compares them.
  let notOnRecord: RowsNotOnRecord = {};
  if (range?.complete === true && hasNoEnd(request)) {
    const query: Query = async (sql, parameters) => {
      request.signal?.throwIfAborted();
      return await database.query(writer, sql, parameters);
    };
    notOnRecord = await checkTables(query, { tenantId, epoch, serviceTenant }, findings);
  }

  const covered =
    checked === undefined || checkpoint === undefined ? -1 : Math.min(checked.last, checkpoint.size - 1);
  const isCovered = checked !== undefined && checked.records > 0 && covered >= checked.first;
  const verdict = verdictOf({ isBroken: findings.list.length > 0, isCovered, epoch });
  if (verdict === 'not_verifiable') findings.add({ code: 'NOTHING_COVERED', sequence_number: null });
  const passed = isTrusted(verdict);
  return {
    verdict,
    tenant_id: tenantId,
    epoch,
    first: checked?.first ?? null,
    last: checked?.last ?? null,
    records: checked?.records ?? 0,
    covered_to: passed ? covered : null,
    unsigned_tail: passed ? checked!.last - covered : 0,
    head: checked?.hash ?? null,
    complete: range?.complete ?? true,
    ...(range?.complete === false && { next_sequence: range.to + 1 }),
    trust: { source: 'service', keys: signer.verifierKeys(origin).map(({ key }) => key) },
    findings: findings.list,
    ...(closedReport !== undefined && { closed: closedReport }),
    ...notOnRecord,
  };
}

/**
 * Checks the records of closed epochs. It runs with the check that begins at the genesis record, which states what was left
 * of them.
 */
async function checkClosed(
  database: Database,
  trail: Trail,
  { tenantId, epoch }: LogId,
  closed: ClosedEpochs,
  signal: AbortSignal | undefined,
  findings: RedactedFindings,
): Promise<void> {
  if (epoch === 1) return;
  const [row] = await trail.page(tenantId, { epoch, from: 0, to: 0, limit: 1, view: { sensitive: true } });
  try {
    if (row?.record != null) closed.readFrom(readRecord(row.record));
  } catch (error) {
    // Bytes that are not a record: the check of the records reports them.
    if (!(error instanceof LogError)) throw error;
  }
  const query = async (sql: string, parameters: readonly unknown[]) => {
    signal?.throwIfAborted();
    return await database.query<{ readonly [column: string]: unknown }>(readerOf(tenantId), sql, parameters);
  };
  await checkClosedEpochs(query, tenantId, closed, findings);
}

/** Rows outside of the chain. Whatever range is checked, reads of any range could once return them. */
async function readStrays(database: Database, signer: Signer, tenantId: string): Promise<Stray[]> {
  return await database.transaction(readerOf(tenantId), (session) =>
    findStrays(session, tenantId, maxFindings, signer.knownEpochs(tenantId)),
  );
}

/** Signs a checkpoint. A chain that contradicts an earlier one keeps that: the verification is to report it. */
async function signIfRunning(logs: TenantLogs, trail: Trail, tenantId: string): Promise<void> {
  if ((await trail.head(tenantId)) === undefined) return;
  try {
    await logs.checkpoint(tenantId);
  } catch (error) {
    if (!(error instanceof ServerError)) throw error;
    if (error.code !== 'CHAIN_STOPPED' && error.code !== 'CHECKPOINT_INCONSISTENT') throw error;
  }
}

/** The store has fewer records than were signed: a finding, where the requested range reaches that far. */
function findMissingTail(
  checkpoint: LastSigned,
  head: TrailHead | undefined,
  request: VerifyRequest,
  findings: RedactedFindings,
): void {
  const size = head === undefined ? 0 : head.sequence + 1;
  if (size >= checkpoint.size || (request.sequence_to ?? size) < size) return;
  findings.add({
    code: 'HEAD_MISMATCH',
    sequence_number: size,
    expected: String(checkpoint.size),
    found: String(size),
  });
}

async function rangeOf(
  database: Database,
  request: VerifyRequest,
  head: TrailHead,
): Promise<(SequenceRange & { readonly complete: boolean }) | undefined> {
  let from = request.sequence_from ?? 0;
  let to = Math.min(request.sequence_to ?? head.sequence, head.sequence);
  if (request.ingested_from !== undefined || request.ingested_to !== undefined) {
    const [span] = await database.query<{ first: number | null; last: number | null }>(
      readerOf(request.tenantId),
      rangeByTime,
      [request.tenantId, head.epoch, request.ingested_from ?? null, request.ingested_to ?? null],
    );
    if (span?.first == null || span.last == null) return undefined;
    from = Math.max(from, span.first);
    to = Math.min(to, span.last);
  }
  if (from > to) return undefined;
  const end = Math.min(to, from + (request.maxRecords ?? 100_000) - 1);
  return { from, to: end, complete: end === to };
}
