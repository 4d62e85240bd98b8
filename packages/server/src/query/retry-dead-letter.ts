import { ServerError } from '../errors.ts';
import type { AuditService } from '../service.ts';
import type { SubmissionResult } from '../submission.ts';
import type { DeadLetters } from './dead-letters.ts';

/**
 * Submits a refused event again, as it was received and under the name of whoever submitted it: a new version or
 * another taxonomy may admit it now. Refused again, it counts up on the same letter.
 *
 * A crash between the two steps leaves the letter open with its event chained: the next try says `duplicate`, and
 * settles it.
 *
 * @throws {ServerError} `NOT_FOUND`; `PARAMETER_INVALID` for a letter whose bytes were purged; errors as of
 *   `AuditService.submit`
 */
export async function retryDeadLetter(
  service: AuditService,
  deadLetters: DeadLetters,
  retry: { readonly id: string; readonly tenants: readonly string[] | undefined; readonly by: string },
): Promise<SubmissionResult> {
  const { info, raw } = await deadLetters.get(retry.id, retry.tenants);
  if (info.state === 'purged') {
    throw new ServerError('PARAMETER_INVALID', 'the dead letter was purged, its bytes are gone');
  }
  const [result] = await service.submit({
    events: [raw],
    source: info.source,
    trust: info.principal === null ? 'operator' : 'api-key',
    ...(info.principal !== null && { principal: info.principal }),
    tenants: retry.tenants,
  });
  if (result!.status === 'chained' || result!.status === 'duplicate') {
    await deadLetters.markRetried(retry.id, retry.by);
  }
  return result!;
}
