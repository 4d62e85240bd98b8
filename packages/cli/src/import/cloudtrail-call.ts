import type { AuditEvent } from '@tallystick/event';
import { identifier, typePart } from './admissible.ts';
import { object, type SourceObject, text } from './source-json.ts';

/** What a record reports. */
interface Call {
  /** The second part of the event's type. */
  readonly service: string;
  /** The last part of the event's type. */
  readonly action: string;
  readonly eventSource: string;
  readonly eventName: string;
  /** The object that says who acted, with which parameters, and how it ended. */
  readonly details: SourceObject;
  readonly target?: Pick<AuditEvent, 'target_type' | 'target_id'>;
}

/**
 * What a record reports. Undefined if it is not a CloudTrail record.
 *
 * | record | type of the event |
 * |---|---|
 * | with `eventSource` and `eventName`: API calls, sign-ins, events of services and of VPC endpoints | `aws.<service>.<event name>` |
 * | Insight | `aws.insight.<insight type>`; its target is the API that was unusual |
 * | `eventData` with `eventSource` and `eventName`: activity outside of AWS (CloudTrail Lake) | `aws.<service>.<event name>` |
 * | any other, known by its `eventCategory` and `eventType`: `ConfigurationItem`, `Evidence`, … | `aws.<category>.<type>` |
 */
export function callOf(record: SourceObject): Call | undefined {
  const insight = object(record.insightDetails);
  const insightType = text(insight.insightType);
  if (insightType !== undefined) {
    const api = [text(insight.eventSource), text(insight.eventName)].filter((part) => part !== undefined);
    return {
      service: 'insight',
      action: typePart(insightType),
      eventSource: 'cloudtrail.amazonaws.com',
      eventName: insightType,
      details: record,
      target: api.length === 0 ? {} : { target_type: 'aws_api', target_id: identifier(api.join(':'))! },
    };
  }
  for (const details of [record, object(record.eventData)]) {
    const eventSource = text(details.eventSource);
    const eventName = text(details.eventName);
    if (eventSource === undefined || eventName === undefined) continue;
    return { service: serviceOf(eventSource), action: typePart(eventName), eventSource, eventName, details };
  }
  const category = text(record.eventCategory);
  const type = text(record.eventType);
  if (category === undefined || type === undefined || apiCalls.includes(type)) return undefined;
  return {
    service: typePart(category),
    action: typePart(type),
    eventSource: 'cloudtrail.amazonaws.com',
    eventName: type,
    details: object(record.eventData),
  };
}

/** Types of records that always have `eventSource` and `eventName`. */
const apiCalls = ['AwsApiCall', 'AwsConsoleSignIn', 'AwsConsoleAction', 'AwsServiceEvent', 'AwsVpceEvent'];

function serviceOf(eventSource: string): string {
  return typePart(eventSource.replace(/\.(?:amazonaws\.com(?:\.cn)?|aws\.amazon\.com|aws)$/, ''));
}
