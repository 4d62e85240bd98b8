import { parseOrigin } from '@tallystick/log';
import type { AuditService } from '../../app.ts';
import { ServerError } from '../../errors.ts';
import { writer } from '../../store/database.ts';
import { readSql } from '../../store/sql.ts';
import { readerOf, type Trail, type TrailHead } from '../../trail/trail.ts';
import type { SignedHead } from '../signer-store.ts';
import { Findings, type Verdict, type VerifyReport } from './verdict.ts';
import { checkRecords, type Range } from './verify-records.ts';

const rangeByTime = readSql('range-by-time');

/** Which part of a chain to verify; all of it where no bound is given. */
export interface VerifyRequest {
  readonly tenantId: string;
  readonly sequence_from?: number | undefined;
  readonly sequence_to?: number | undefined;
  /** RFC 3339; `ingested_from` is included, `ingested_to` is not. */
  readonly ingested_from?: string | undefined;
  readonly ingested_to?: string | undefined;
  /** Signs the chain as it stands first, so that the newest records are covered. @defaultValue false */
  readonly fresh?: boolean | undefined;
  /** Most records that one call looks at. @defaultValue 100000 */
  readonly maxRecords?: number | undefined;
}

/**
 * Checks a part of a chain against itself and against the head that the signer remembers outside the store, and keeps
 * the result in `audit_verification_log`. In constant memory and bounded work: a longer range is gone through in
 * several calls.
 *
 * @throws {ServerError} `NOT_FOUND` for a tenant that neither the store nor the signer knows
 */
export async function verifyRange(
  service: AuditService,
  trail: Trail,
  request: VerifyRequest,
): Promise<VerifyReport> {
  const report = await check(service, trail, request);
  await service.database.query(
    writer,
    'insert into audit_verification_log (tenant_id, verdict, covered_to, report) values ($1, $2, $3, $4::jsonb)',
    [report.tenant_id, report.verdict, report.covered_to, JSON.stringify(report)],
  );
  return report;
}

async function check(service: AuditService, trail: Trail, request: VerifyRequest): Promise<VerifyReport> {
  const { tenantId } = request;
  const signed = await signedHead(service, trail, request);
  // Read after what was signed, so an honest chain can only be longer.
  const head = await trail.head(tenantId);
  if (head === undefined && signed === undefined) throw new ServerError('NOT_FOUND', 'no such tenant');
  const epoch =
    signed === undefined ? head!.epoch : Math.max(parseOrigin(signed.origin).epoch, head?.epoch ?? 0);
  const origin = service.logs.origin({ tenantId, epoch });
  const findings = new Findings();
  const known = signed?.origin === origin ? signed : undefined;
  const current = head?.epoch === epoch ? head : undefined;
  const range = current === undefined ? undefined : await rangeOf(service, request, current);
  const seen =
    current === undefined || range === undefined
      ? undefined
      : await checkRecords(service.database, {
          tenantId,
          origin,
          head: current,
          signed: known,
          range,
          findings,
        });

  const size = current === undefined ? 0 : current.sequence + 1;
  if (known !== undefined && size < known.size && (request.sequence_to ?? size) >= size) {
    findings.add({
      code: 'HEAD_MISMATCH',
      sequence_number: size,
      expected: String(known.size),
      found: String(size),
    });
  }
  const covered = seen === undefined || known === undefined ? -1 : Math.min(seen.last, known.size - 1);
  const anything = seen !== undefined && seen.records > 0 && covered >= seen.first;
  if (!anything && findings.list.length === 0)
    findings.add({ code: 'NOTHING_COVERED', sequence_number: null });
  const verdict = verdictOf(findings, anything, epoch);
  const passed = verdict === 'verified' || verdict === 'recovered';
  return {
    verdict,
    tenant_id: tenantId,
    epoch,
    first: seen?.first ?? null,
    last: seen?.last ?? null,
    records: seen?.records ?? 0,
    covered_to: passed ? covered : null,
    unsigned_tail: passed ? seen!.last - covered : 0,
    head: seen?.hash ?? null,
    complete: range?.complete ?? true,
    ...(range?.complete === false && { next_sequence: range.to + 1 }),
    trust: { source: 'service', keys: service.signer.verifierKeys(origin).map(({ key }) => key) },
    findings: findings.list,
  };
}

function verdictOf(findings: Findings, anything: boolean, epoch: number): Verdict {
  if (findings.list.some((finding) => finding.code !== 'NOTHING_COVERED')) return 'broken';
  if (!anything) return 'not_verifiable';
  return epoch > 1 ? 'recovered' : 'verified';
}

/** The newest head that was signed for the tenant, from the signer's own store, which lies outside the database. */
async function signedHead(
  service: AuditService,
  trail: Trail,
  { tenantId, fresh }: VerifyRequest,
): Promise<SignedHead | undefined> {
  const newest = () =>
    service.signer.store
      .heads()
      .filter((head) => parseOrigin(head.origin).tenantId === tenantId)
      .sort((a, b) => parseOrigin(b.origin).epoch - parseOrigin(a.origin).epoch)[0];
  if (fresh !== true && newest() !== undefined) return newest();
  try {
    if ((await trail.head(tenantId)) !== undefined) await service.logs.checkpoint(tenantId);
  } catch (error) {
    // A chain that contradicts what was signed is what this check is for: it goes on with what was signed before.
    if (!(error instanceof ServerError)) throw error;
    if (error.code !== 'CHAIN_STOPPED' && error.code !== 'CHECKPOINT_INCONSISTENT') throw error;
  }
  return newest();
}

async function rangeOf(
  service: AuditService,
  request: VerifyRequest,
  head: TrailHead,
): Promise<Range | undefined> {
  let from = request.sequence_from ?? 0;
  let to = Math.min(request.sequence_to ?? head.sequence, head.sequence);
  if (request.ingested_from !== undefined || request.ingested_to !== undefined) {
    const [span] = await service.database.query<{ first: number | null; last: number | null }>(
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
