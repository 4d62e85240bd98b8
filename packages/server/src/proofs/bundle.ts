import { createHash } from 'node:crypto';
import {
  type ClosedEpoch,
  LogError,
  parseCheckpoint,
  parseNote,
  parseOrigin,
  type RotationEvidence,
  readClosedEpochs,
  readGenesis,
  readRecord,
  rotationToJson,
  toBase64,
} from '@tallystick/log';
import { ServerError } from '../errors.ts';
import type { Database } from '../store/database.ts';
import { readSql } from '../store/sql.ts';
import { readerOf, type Trail } from '../trail/trail.ts';
import type { EventRow } from '../trail/view.ts';
import { provePage } from './prove-page.ts';
import type { Signer } from './signer.ts';
import type { TenantLogs } from './tenant-logs.ts';
import { readTree } from './tree-reader.ts';

const hasSensitive = readSql('has-sensitive');
const closedRanges = 'select epoch, last_sequence from audit_closed_epochs where tenant_id = $1';
const pageRecords = 1_000;

/** What bundles are made from. An `AuditService` has all of it. */
export interface BundleSources {
  readonly database: Database;
  readonly signer: Signer;
  readonly logs: TenantLogs;
}

/** Which records a bundle is to contain. */
export interface BundleRequest {
  readonly tenantId: string;
  /** First and last sequence number of a part; the whole chain where both are absent. */
  readonly first?: number | undefined;
  readonly last?: number | undefined;
  /** Adds the records of a whole chain that were appended after the checkpoint. @defaultValue false */
  readonly withTail?: boolean | undefined;
}

/** What a bundle will contain. It is fixed before the first byte is written. */
export interface BundlePlan {
  readonly tenantId: string;
  readonly origin: string;
  readonly epoch: number;
  readonly first: number;
  readonly last: number;
  readonly complete: boolean;
  /** Leaves of the bundle's checkpoint. */
  readonly size: number;
  readonly note: string;
  readonly keys: readonly string[];
  /** Rotations of the log's key, oldest first. */
  readonly rotations: readonly RotationEvidence[];
  /** Epochs that the chain closed, newest first. A whole chain is exported with their records. */
  readonly closed: readonly ClosedRange[];
}

/** A closed epoch, and the last position that belongs to it. */
interface ClosedRange {
  readonly epoch: number;
  readonly origin: string;
  readonly last: number;
}

/**
 * Signs a checkpoint and fixes what the bundle contains. A chain that was stopped or deleted can be exported too, with its last
 * checkpoint: the bundle is then the evidence of what happened to the chain.
 *
 * @throws {ServerError} `NOT_FOUND` for a tenant without a chain; `PARAMETER_INVALID` for a range that the checkpoint does
 *   not cover
 */
export async function planBundle(
  sources: BundleSources,
  trail: Trail,
  request: BundleRequest,
): Promise<BundlePlan> {
  const { tenantId } = request;
  const { epoch, size, origin, note } = await checkpointFor(sources, tenantId);
  const complete = request.first === undefined && request.last === undefined;
  const first = request.first ?? 0;
  let last = request.last ?? size - 1;
  if (complete && request.withTail === true)
    last = Math.max(last, (await trail.head(tenantId))?.sequence ?? last);
  if (first > last || (!complete && last >= size)) {
    const message = `the range must lie within the ${size} records of the checkpoint`;
    throw new ServerError('PARAMETER_INVALID', message, { details: { parameter: 'first' } });
  }
  const keys = sources.signer.verifierKeys(origin).map(({ key }) => key);
  const closed = complete ? await closedEpochs(sources, trail, tenantId, { epoch, origin }) : [];
  const rotations = await sources.signer.rotations.evidenceFor(origin);
  return { tenantId, origin, epoch, first, last, complete, size, note, keys, rotations, closed };
}

/** The epochs that the genesis record of the chain states, with what the store says of their ends. */
async function closedEpochs(
  { database }: BundleSources,
  trail: Trail,
  tenantId: string,
  { epoch, origin }: { readonly epoch: number; readonly origin: string },
): Promise<ClosedRange[]> {
  const [row] = await trail.page(tenantId, { epoch, from: 0, to: 0, limit: 1, view: { sensitive: true } });
  const stated = epoch === 1 || row?.record == null ? [] : statedBy(row.record, origin);
  const ends = await database.query<{ epoch: number; last_sequence: number }>(
    readerOf(tenantId),
    closedRanges,
    [tenantId],
  );
  return stated.map((closed) => ({
    epoch: closed.epoch,
    origin: closed.checkpoint.origin,
    last: ends.find((end) => end.epoch === closed.epoch)?.last_sequence ?? -1,
  }));
}

/** A genesis record that was tampered with states nothing: the verifier reports it. */
function statedBy(record: string, origin: string): readonly ClosedEpoch[] {
  try {
    return readClosedEpochs(readGenesis(readRecord(record)).recovery, origin) ?? [];
  } catch (error) {
    if (error instanceof LogError) return [];
    throw error;
  }
}

async function checkpointFor(
  { database, signer, logs }: BundleSources,
  tenantId: string,
): Promise<{ epoch: number; size: number; origin: string; note: string }> {
  try {
    return await logs.checkpoint(tenantId);
  } catch (error) {
    if (!isLost(error)) throw error;
    // The signer's own store has the checkpoint; the database may have been tampered with.
    const epoch = (await currentEpoch(database, tenantId)) ?? signedEpoch(signer, tenantId);
    if (epoch === undefined) throw error;
    const origin = signer.originOf({ tenantId, epoch });
    const signed = signer.store.lastSigned(origin);
    if (signed?.note === undefined) throw error;
    const note = await signer.noteOf(signed);
    return { ...parseCheckpoint(parseNote(note).text), epoch, note };
  }
}

/** Whether the store lacks what was signed, so that no new checkpoint can be signed: records, the head, or the whole tenant. */
function isLost(error: unknown): boolean {
  if (error instanceof LogError) return true;
  return error instanceof ServerError && lostCodes.has(error.code);
}

const lostCodes = new Set(['CHAIN_STOPPED', 'CHECKPOINT_INCONSISTENT', 'NOT_FOUND']);

async function currentEpoch(database: Database, tenantId: string): Promise<number | undefined> {
  try {
    return (await database.transaction(readerOf(tenantId), (session) => readTree(session, tenantId)))?.epoch;
  } catch (error) {
    // The head is damaged.
    if (error instanceof LogError) return undefined;
    throw error;
  }
}

function signedEpoch(signer: Signer, tenantId: string): number | undefined {
  const signed = signer.store.newestOf(tenantId);
  return signed === undefined ? undefined : parseOrigin(signed.origin).epoch;
}

/** Whether the bundle would contain a sensitive record. Only readers with the scope for those may export it. */
export async function bundleHoldsSensitive(
  { database }: Pick<BundleSources, 'database'>,
  { tenantId, epoch, first, last, closed }: BundlePlan,
): Promise<boolean> {
  for (const part of [{ epoch, first, last }, ...closed.map((each) => ({ ...each, first: 0 }))]) {
    const [row] = await database.query<{ found: boolean }>(readerOf(tenantId), hasSensitive, [
      tenantId,
      part.epoch,
      part.first,
      part.last,
    ]);
    if (row!.found) return true;
  }
  return false;
}

/**
 * The bundle's bytes (spec/bundle.md), one page of records at a time. Memory does not grow with the chain, and no
 * transaction stays open while a slow client reads. Records never change, so pages from different transactions agree.
 *
 * @param signal ends the export before its next page
 */
export async function* streamBundle(
  { database }: Pick<BundleSources, 'database'>,
  trail: Trail,
  plan: BundlePlan,
  signal?: AbortSignal,
): AsyncGenerator<Buffer> {
  const digest = createHash('sha256');
  let lines = 0;
  let records = 0;
  const chunk = (parts: readonly string[]) => {
    const bytes = Buffer.from(parts.map((part) => `${part}\n`).join(''));
    lines += parts.length;
    digest.update(bytes);
    return bytes;
  };
  const { tenantId, origin, epoch, first, last, complete, closed } = plan;
  // An older reader reads every file that it can verify.
  const version = plan.rotations.length > 0 ? 3 : closed.length > 0 ? 2 : 1;
  yield chunk([
    JSON.stringify({ tallystick_bundle: version, tenant_id: tenantId, origin, epoch, first, last, complete }),
    ...plan.rotations.map((rotation) => JSON.stringify({ rotation: rotationToJson(rotation) })),
    JSON.stringify({ checkpoint: plan.note }),
    ...plan.keys.map((key) => JSON.stringify({ key })),
  ]);
  for await (const rows of pagesOf(trail, tenantId, { epoch, first, last }, signal)) {
    records += rows.length;
    const proofs = complete ? undefined : await provePage(database, plan, rows);
    yield chunk(
      rows.flatMap((row, at) => {
        if (proofs === undefined) return [recordLine(row)];
        const hashes = proofs[at]!.map(toBase64);
        return [recordLine(row), JSON.stringify({ proof: { index: row.sequence_number, hashes } })];
      }),
    );
  }
  for (const part of closed) {
    yield chunk([JSON.stringify({ closed: part.origin })]);
    for await (const rows of pagesOf(trail, tenantId, { ...part, first: 0 }, signal)) {
      records += rows.length;
      yield chunk(rows.map(recordLine));
    }
  }
  const end = { records, lines, sha256: digest.digest('hex') };
  yield Buffer.from(`${JSON.stringify({ end })}\n`);
}

/** The writable records of a range, in pages. */
async function* pagesOf(
  trail: Trail,
  tenantId: string,
  { epoch, first, last }: { readonly epoch: number; readonly first: number; readonly last: number },
  signal: AbortSignal | undefined,
): AsyncGenerator<EventRow[]> {
  let next = first;
  while (next <= last) {
    signal?.throwIfAborted();
    const rows = await trail.page(tenantId, {
      epoch,
      from: next,
      to: last,
      limit: pageRecords,
      view: { sensitive: true },
    });
    if (rows.length === 0) return;
    next = rows.at(-1)!.sequence_number + 1;
    yield rows.filter(fitsLine);
  }
}

function recordLine({ record }: EventRow): string {
  return `{"record":${record}}`;
}

/**
 * The service never writes records that do not fit on a line, so such bytes were tampered with. The bundle leaves them
 * out: the verifier reports the gap and its place. Written as they are, they would make the whole file unreadable.
 */
function fitsLine({ record }: EventRow): boolean {
  return record !== null && record.length < 500_000 && !record.includes('\n');
}
