import { createHash } from 'node:crypto';
import { parseCheckpoint, parseNote, toBase64 } from '@tallystick/log';
import type { AuditService } from '../app.ts';
import { ServerError } from '../errors.ts';
import { readSql } from '../store/sql.ts';
import { readerOf, type Trail } from '../trail/trail.ts';
import type { EventRow } from '../trail/view.ts';
import { provePage } from './prove-page.ts';
import { readHead as readLogHead } from './tree-reader.ts';

const hasSensitive = readSql('has-sensitive');
const pageRecords = 1_000;

/** What a bundle is to hold. */
export interface BundleRequest {
  readonly tenantId: string;
  /** First and last sequence number of a part; the whole chain where both are absent. */
  readonly first?: number | undefined;
  readonly last?: number | undefined;
  /** Adds records of a whole chain that were appended after the checkpoint. @defaultValue false */
  readonly withTail?: boolean | undefined;
}

/** What a bundle will hold, settled before its first byte. */
export interface BundlePlan {
  readonly tenantId: string;
  readonly origin: string;
  readonly epoch: number;
  readonly first: number;
  readonly last: number;
  readonly complete: boolean;
  /** Leaves of the checkpoint that the bundle stands on. */
  readonly size: number;
  readonly note: string;
  readonly keys: readonly string[];
}

/**
 * Signs a checkpoint and settles what the bundle holds. A chain that is stopped can be exported too, on its last
 * checkpoint: that is the evidence of what happened to it.
 *
 * @throws {ServerError} `NOT_FOUND` for a tenant without a chain; `PARAMETER_INVALID` for a range that the checkpoint does
 *   not cover
 */
export async function planBundle(
  service: AuditService,
  trail: Trail,
  request: BundleRequest,
): Promise<BundlePlan> {
  const { tenantId } = request;
  const { epoch, size, origin, note } = await checkpointFor(service, tenantId);
  const complete = request.first === undefined && request.last === undefined;
  const first = request.first ?? 0;
  let last = request.last ?? size - 1;
  if (complete && request.withTail === true) last = Math.max(last, (await trail.head(tenantId))!.sequence);
  if (first > last || (!complete && last >= size)) {
    const message = `the range must lie in the checkpoint's ${size} records`;
    throw new ServerError('PARAMETER_INVALID', message, { details: { parameter: 'first' } });
  }
  const keys = service.signer.verifierKeys(origin).map(({ key }) => key);
  return { tenantId, origin, epoch, first, last, complete, size, note, keys };
}

async function checkpointFor(
  service: AuditService,
  tenantId: string,
): Promise<{ epoch: number; size: number; origin: string; note: string }> {
  try {
    return await service.logs.checkpoint(tenantId);
  } catch (error) {
    const stopped =
      error instanceof ServerError &&
      (error.code === 'CHAIN_STOPPED' || error.code === 'CHECKPOINT_INCONSISTENT');
    const epoch = stopped ? await currentEpoch(service, tenantId) : undefined;
    if (epoch === undefined) throw error;
    // From the signer's own store: the database is what is under suspicion.
    const origin = service.logs.origin({ tenantId, epoch });
    const note = service.signer.store.head(origin)?.note;
    if (note === undefined) throw error;
    return { ...parseCheckpoint(parseNote(note).text), epoch, note };
  }
}

async function currentEpoch(service: AuditService, tenantId: string): Promise<number | undefined> {
  return (await service.database.transaction(readerOf(tenantId), (session) => readLogHead(session, tenantId)))
    ?.epoch;
}

/** Whether the bundle would hold a record that needs the scope for sensitive ones. */
export async function bundleHoldsSensitive(service: AuditService, plan: BundlePlan): Promise<boolean> {
  const [row] = await service.database.query<{ found: boolean }>(readerOf(plan.tenantId), hasSensitive, [
    plan.tenantId,
    plan.epoch,
    plan.first,
    plan.last,
  ]);
  return row!.found;
}

/**
 * The bundle's bytes (spec/bundle.md), a page of records at a time: memory does not grow with the chain, and no
 * transaction stays open while a slow reader takes its time. Records never change, so pages read apart agree.
 */
export async function* streamBundle(
  service: AuditService,
  trail: Trail,
  plan: BundlePlan,
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
  const { tenantId, origin, epoch, first, last, complete } = plan;
  yield chunk([
    JSON.stringify({ tallystick_bundle: 1, tenant_id: tenantId, origin, epoch, first, last, complete }),
    JSON.stringify({ checkpoint: plan.note }),
    ...plan.keys.map((key) => JSON.stringify({ key })),
  ]);
  let next = first;
  while (next <= last) {
    const rows = await trail.page(tenantId, {
      epoch,
      from: next,
      to: last,
      limit: pageRecords,
      view: { sensitive: true },
    });
    if (rows.length === 0) break;
    next = rows.at(-1)!.sequence_number + 1;
    const held = rows.filter(fitsLine);
    records += held.length;
    const proofs = complete ? undefined : await provePage(service.database, plan, held);
    yield chunk(
      held.flatMap((row, at) => {
        const line = `{"record":${row.record}}`;
        if (proofs === undefined) return [line];
        const hashes = proofs[at]!.map(toBase64);
        return [line, JSON.stringify({ proof: { index: row.sequence_number, hashes } })];
      }),
    );
  }
  const end = { records, lines, sha256: digest.digest('hex') };
  yield Buffer.from(`${JSON.stringify({ end })}\n`);
}

/**
 * Bytes that can't stand on a line were never those of a record: somebody put them there. They are left out, and the gap
 * in the bundle says where; as they are, they would make a damaged file of the evidence.
 */
function fitsLine({ record }: EventRow): boolean {
  return record !== null && record.length < 500_000 && !record.includes('\n');
}
