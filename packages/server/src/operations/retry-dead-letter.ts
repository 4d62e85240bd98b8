import type { Trust } from '@tallystick/log';
import type { DeadLetterInfo, Reason } from '@tallystick/protocol';
import type { AuditService } from '../app.ts';
import { submitterOf } from '../chain/accounting.ts';
import { ServerError } from '../errors.ts';
import { isStatement, readStatement, toStatement } from '../ingest/admit/statement.ts';
import type { SubmissionResult } from '../ingest/submission.ts';
import type { DeadLetters } from './dead-letters.ts';

/**
 * What became of a retry. `noted`: the letter is a producer's statement that declares no gap, such as its last number;
 * that is in its account now, and nothing of it is chained.
 */
export type RetryResult = SubmissionResult | { readonly status: 'noted' };

/**
 * Submits what was refused again, as it was received and under the name and number that it had: a new version or
 * another taxonomy may admit it now, or the chain go on. A producer's statement is read as one: its gaps are chained and
 * its account settled. Refused again, it counts up on the same letter; one that came as a message stays as it is, or
 * becomes another where the reason is another. A message's key is not asked again: whoever retries it decides. But nobody
 * gets by it into a tenant's chain that they had no right to.
 *
 * A crash between the two steps leaves the letter open with its event chained: the next try says `duplicate`, and
 * settles it.
 *
 * @returns of a statement the result of its first gap, or of the first that did not end well
 * @throws {ServerError} `NOT_FOUND`; `PARAMETER_INVALID` for a letter whose bytes were purged; errors as of
 *   `AuditService.submit`
 */
export async function retryDeadLetter(
  service: AuditService,
  deadLetters: DeadLetters,
  retry: { readonly id: string; readonly tenants: readonly string[] | undefined; readonly by: string },
): Promise<RetryResult> {
  const { info, raw } = await deadLetters.get(retry.id, retry.tenants);
  if (info.state === 'purged') {
    throw new ServerError('PARAMETER_INVALID', 'the dead letter was purged, its bytes are gone');
  }
  const tenants = reachOf(info, retry.tenants);
  const result = isStatement(raw)
    ? await declareAgain(service, info, raw, tenants)
    : await submitAgain(service, info, raw, tenants);
  if (!('error' in result)) await deadLetters.markRetried(retry.id, retry.by);
  return result;
}

async function submitAgain(
  service: AuditService,
  info: DeadLetterInfo,
  raw: Uint8Array,
  tenants: readonly string[] | undefined,
): Promise<SubmissionResult> {
  const { producer_id, producer_seq } = info;
  const [result] = await service.submit({
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
  service: AuditService,
  { id, source, principal }: DeadLetterInfo,
  raw: Uint8Array,
  tenants: readonly string[] | undefined,
): Promise<RetryResult> {
  const reading = readStatement(raw);
  if ('refusal' in reading) return rejected(reading.refusal, id);
  const from = { source, ...(principal !== null && { principal }) };
  const said = toStatement(reading.delivery, submitterOf(from));
  if ([...said.gaps, ...said.final].some(({ tenantId }) => tenants?.includes(tenantId) === false)) {
    return rejected(notTheirs, id);
  }
  const results = await service.declare(said, from, raw);
  return results.find((each) => 'error' in each) ?? results[0] ?? { status: 'noted' };
}

/**
 * Tenants that a letter may get into. One that somebody was named for is filed under a tenant of theirs, or under none;
 * whoever retries it must not lend them what they had no right to.
 */
function reachOf(
  { principal, tenant_id }: DeadLetterInfo,
  tenants: readonly string[] | undefined,
): readonly string[] | undefined {
  if (principal === null) return tenants;
  return tenant_id === null ? [] : [tenant_id];
}

/** As it was when it came: a retry must not make an event more trusted than its submitter was. */
function trustOf({ principal, topic }: DeadLetterInfo): Trust {
  if (principal !== null) return 'api-key';
  return topic === null ? 'operator' : 'topic-acl';
}

const notTheirs: Reason = {
  code: 'TENANT_FORBIDDEN',
  pointer: '/delivery',
  message: 'speaks of a tenant that is none of the submitter, or of whoever retries it',
};

function rejected(refusal: Reason, id: string): SubmissionResult {
  return { status: 'rejected', error: { ...refusal, violations: [refusal], dead_letter_id: id } };
}
