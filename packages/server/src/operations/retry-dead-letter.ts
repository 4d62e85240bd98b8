import type { Trust } from '@tallystick/log';
import type { DeadLetterInfo, Reason, RetryResult } from '@tallystick/protocol';
import { submitterOf } from '../chain/accounting.ts';
import type { BatchBookkeeping, ItemOutcome, ProducerStatement } from '../chain/batch.ts';
import { retriedRecord } from '../chain/service-records/dead-letter-records.ts';
import { ServerError } from '../errors.ts';
import { isStatement, readStatement, toStatement } from '../ingest/admit/statement.ts';
import type { Submission, SubmissionError, SubmissionResult } from '../ingest/submission.ts';
import type { DeadLetters, StoredDeadLetter } from './dead-letters.ts';
import { type BatchRetryTarget, isKeptBatch, retryBatch } from './retry-batch.ts';

/** Where a retry submits events and statements. An `AuditService` has all of it. */
export interface RetryTarget extends BatchRetryTarget {
  readonly serviceTenant: string;
  submit(submission: Submission, bookkeeping?: BatchBookkeeping): Promise<SubmissionResult[]>;
  declare(
    declared: ProducerStatement,
    from: Pick<Submission, 'source' | 'principal'>,
    raw: Uint8Array,
    bookkeeping?: BatchBookkeeping,
  ): Promise<SubmissionResult[]>;
}

/** Which dead letter to retry. */
export interface Retry {
  readonly id: string;
  /** Tenants of the operator; every tenant where absent. */
  readonly tenants: readonly string[] | undefined;
  /** Principal of the operator. */
  readonly by: string;
  /** Milliseconds since the epoch. */
  readonly now: number;
}

/**
 * Submits a refused event again: the bytes as they were received, with the submitter and number of that time. It may be
 * admitted now, because the service has a new version or another taxonomy, or because the chain was recovered. Of a
 * producer's statement, the gaps are chained and the account is settled.
 *
 * An event that is refused again counts on the same dead letter. A dead letter of a Kafka message stays unchanged, or
 * becomes a second one where the reason differs. The key of a Kafka message is not checked again: the operator who retries
 * decides. But a retry never writes for a tenant that the original submitter had no right to.
 *
 * A record batch of a topic that could not be unpacked is read again: see {@link retryBatch}.
 *
 * The transaction that chains the event also settles the dead letter, and chains an `audit.dead_letter_retried` that names
 * the operator.
 *
 * @returns for a statement, the result of its first gap, or of the first gap that failed
 * @throws {ServerError} `NOT_FOUND`; `PARAMETER_INVALID` for a dead letter whose bytes were purged; errors as
 *   `AuditService.submit`
 */
export async function retryDeadLetter(
  target: RetryTarget,
  deadLetters: DeadLetters,
  retry: Retry,
): Promise<RetryResult<SubmissionError>> {
  const letter = await deadLetters.get(retry.id, retry.tenants);
  const { info, raw } = letter;
  if (info.state === 'purged') {
    throw new ServerError('PARAMETER_INVALID', 'the dead letter was purged: its bytes no longer exist');
  }
  const tenants = permittedTenants(info, retry.tenants);
  const bookkeeping = settling(letter, retry, target.serviceTenant);
  if (isKeptBatch(info)) return await retryBatch(target, letter, tenants, bookkeeping);
  return isStatement(raw)
    ? await declareAgain(target, info, raw, tenants, bookkeeping)
    : await submitAgain(target, info, raw, tenants, bookkeeping);
}

/** Settles the dead letter if nothing of it is refused again. */
function settling(
  { info, chain }: StoredDeadLetter,
  { id, by, now }: Retry,
  serviceTenant: string,
): BatchBookkeeping {
  const tenantId = chain ?? serviceTenant;
  const isAccepted = (statuses: readonly (ItemOutcome['status'] | undefined)[]) =>
    info.state === 'open' && statuses.every((status) => status === 'chained' || status === 'duplicate');
  return {
    outcomeRecords: {
      tenantId,
      of: (statuses) => (isAccepted(statuses) ? [retriedRecord(tenantId, id, { by, now })] : []),
    },
    closeBooks: async (session, outcomes) => {
      if (!isAccepted(outcomes.map((outcome) => outcome?.status))) return;
      await session.query(settleSql, [id, by, new Date(now).toISOString()]);
    },
  };
}

const settleSql = `
  update audit_dead_letters set state = 'retried', settled_at = $3::timestamptz, settled_by = $2
   where id = $1::uuid and state = 'open'`;

async function submitAgain(
  target: RetryTarget,
  info: DeadLetterInfo,
  raw: Uint8Array,
  tenants: readonly string[] | undefined,
  bookkeeping: BatchBookkeeping,
): Promise<SubmissionResult> {
  const { producer_id, producer_seq } = info;
  const submission = {
    events: [raw],
    ...(producer_id !== null && {
      delivery: { producer_id, ...(producer_seq !== null && { sequences: [producer_seq] }) },
    }),
    source: info.source,
    trust: trustOf(info),
    ...(info.principal !== null && { principal: info.principal }),
    tenants,
  };
  const [result] = await target.submit(submission, bookkeeping);
  return result!;
}

async function declareAgain(
  target: RetryTarget,
  { id, source, principal }: DeadLetterInfo,
  raw: Uint8Array,
  tenants: readonly string[] | undefined,
  bookkeeping: BatchBookkeeping,
): Promise<RetryResult<SubmissionError>> {
  const reading = readStatement(raw);
  if ('refusal' in reading) return rejected(reading.refusal, id);
  const from = { source, ...(principal !== null && { principal }) };
  const declared = toStatement(reading.delivery, submitterOf(from));
  if ([...declared.gaps, ...declared.final].some(({ tenantId }) => tenants?.includes(tenantId) === false)) {
    return rejected(tenantForbidden, id);
  }
  const results = await target.declare(declared, from, raw, bookkeeping);
  return results.find((each) => 'error' in each) ?? results[0] ?? { status: 'noted' };
}

/**
 * Tenants that the retry may write for. A dead letter of an authenticated submitter has a tenant of that submitter, or
 * none. An operator with more rights must not lend them to the submitter.
 */
function permittedTenants(
  { principal, tenant_id }: DeadLetterInfo,
  tenants: readonly string[] | undefined,
): readonly string[] | undefined {
  if (principal === null) return tenants;
  return tenant_id === null ? [] : [tenant_id];
}

/** The trust of the first delivery: a retry must not make an event more trusted than its submitter was. */
function trustOf({ principal, topic }: DeadLetterInfo): Trust {
  if (principal !== null) return 'api-key';
  return topic === null ? 'operator' : 'topic-acl';
}

const tenantForbidden: Reason = {
  code: 'TENANT_FORBIDDEN',
  pointer: '/delivery',
  message: 'names a tenant that the submitter or the operator who retries may not write for',
};

function rejected(refusal: Reason, id: string): SubmissionResult {
  return { status: 'rejected', error: { ...refusal, violations: [refusal], dead_letter_id: id } };
}
