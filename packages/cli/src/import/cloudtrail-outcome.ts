import type { AuditEvent } from '@tallystick/event';
import { clip } from './admissible.ts';
import { object, type SourceObject, text } from './source-json.ts';

type Outcome = NonNullable<AuditEvent['outcome']>;

const deniedPattern = /AccessDenied|Unauthorized|NotAuthorized|Forbidden|AuthorizationError|AuthFailure/i;

/**
 * How a call ended. Undefined if the record does not say so.
 *
 * - `errorCode` or `errorMessage`: it failed, or was denied.
 * - A member with the name of the event in `responseElements` or `serviceEventDetails` is `Success` or `Failure`: sign-ins of the
 *   console and of IAM Identity Center.
 * - An API call without `errorCode` succeeded, as AWS documents. Other records, such as events of services, do not have this rule.
 *
 * @param details the record, or the part of it that describes the call
 */
export function cloudTrailOutcome(
  record: SourceObject,
  details: SourceObject,
  eventName: string,
): Outcome | undefined {
  const errorCode = text(details.errorCode);
  const errorMessage = text(details.errorMessage);
  if (errorCode !== undefined || errorMessage !== undefined) {
    return {
      outcome_status: deniedPattern.test(errorCode ?? '') ? 'denied' : 'failure',
      ...(errorCode !== undefined && { error_code: clip(errorCode, 256) }),
      ...(errorMessage !== undefined && { error_message: clip(errorMessage, 16_384) }),
    };
  }
  const results = [object(details.responseElements), object(details.serviceEventDetails)];
  const isSignIn = /^(?:signin|sso)\./.test(text(details.eventSource) ?? '');
  const said = results.flatMap((result) => (isSignIn ? Object.values(result) : [result[eventName]]));
  if (said.includes('Failure')) return { outcome_status: 'failure' };
  if (said.includes('Success')) return { outcome_status: 'success' };
  return isApiCall(record) ? { outcome_status: 'success' } : undefined;
}

/** Records before version 1.02 have no `eventType`; at that time CloudTrail recorded API calls only. */
function isApiCall({ eventType, eventVersion }: SourceObject): boolean {
  if (eventType === undefined) return eventVersion === '1.0' || eventVersion === '1.01';
  return eventType === 'AwsApiCall' || eventType === 'AwsVpceEvent';
}
