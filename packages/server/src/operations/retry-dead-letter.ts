import type { Trust } from '@tallystick/log';
import type { DeadLetterInfo, Reason, RetryResult } from '@tallystick/protocol';
import { submitterOf } from '../chain/accounting.ts';
import type { ProducerStatement } from '../chain/batch.ts';
import { ServerError } from '../errors.ts';
import { isStatement, readStatement, toStatement } from '../ingest/admit/statement.ts';
import type { Submission, SubmissionError, SubmissionResult } from '../ingest/submission.ts';
import type { DeadLetters } from './dead-letters.ts';
import { type BatchRetryTarget, isKeptBatch, retryBatch } from './retry-batch.ts';

/** Where a retry submits events and statements. An `AuditService` has both. */
export interface RetryTarget extends BatchRetryTarget {
  submit(submission: Submission): Promise<SubmissionResult[]>;
  declare(
    declared: ProducerStatement,
    from: Pick<Submission, 'source' | 'principal'>,
    raw: Uint8Array,
  ): Promise<SubmissionResult[]>;
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
 * A crash between the two steps leaves the dead letter open with its event chained. The next retry gets `duplicate` and
 * marks the dead letter as retried.
 *
 * @returns for a statement, the result of its first gap, or of the first gap that failed
 * @throws {ServerError} `NOT_FOUND`; `PARAMETER_INVALID` for a dead letter whose bytes were purged; errors as
 *   `AuditService.submit`
 */
export async function retryDeadLetter(
  target: RetryTarget,
  deadLetters: DeadLetters,
  retry: { readonly id: string; readonly tenants: readonly string[] | undefined; readonly by: string },
): Promise<RetryResult<SubmissionError>> {
  const { info, raw } = await deadLetters.get(retry.id, retry.tenants);
  if (info.state === 'purged') {
    throw new ServerError('PARAMETER_INVALID', 'the dead letter was purged: its bytes no longer exist');
  }
  const tenants = permittedTenants(info, retry.tenants);
  let result: RetryResult<SubmissionError>;
  if (isKeptBatch(info)) result = await retryBatch(target, info, raw, tenants);
  else if (isStatement(raw)) result = await declareAgain(target, info, raw, tenants);
  else result = await submitAgain(target, info, raw, tenants);
  if (!('error' in result)) await deadLetters.markRetried(retry.id, retry.by);
  return result;
}

async function submitAgain(
  target: RetryTarget,
  info: DeadLetterInfo,
  raw: Uint8Array,
  tenants: readonly string[] | undefined,
): Promise<SubmissionResult> {
  const { producer_id, producer_seq } = info;
  const [result] = await target.submit({
    events: [raw],
    ...(producer_id !== null && {
      delivery: { producer_id, ...(producer_seq !== null && { sequences: [producer_seq] }) },
    }),
    source: info.source,
    trust: trustOf(info),
    ...(info.principal !== null && { principal: info.principal }),
    tenants,
  });
  return result!;
}

async function declareAgain(
  target: RetryTarget,
  { id, source, principal }: DeadLetterInfo,
  raw: Uint8Array,
  tenants: readonly string[] | undefined,
): Promise<RetryResult<SubmissionError>> {
  const reading = readStatement(raw);
  if ('refusal' in reading) return rejected(reading.refusal, id);
  const from = { source, ...(principal !== null && { principal }) };
  const declared = toStatement(reading.delivery, submitterOf(from));
  if ([...declared.gaps, ...declared.final].some(({ tenantId }) => tenants?.includes(tenantId) === false)) {
    return rejected(tenantForbidden, id);
  }
  const results = await target.declare(declared, from, raw);
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
