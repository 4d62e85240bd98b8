import { ipPattern } from '@tallystick/event';
import { boundedCopy, clip, identifier, present, utcTimestamp } from './admissible.ts';
import { cloudTrailActor } from './cloudtrail-actor.ts';
import { callOf } from './cloudtrail-call.ts';
import { cloudTrailOutcome } from './cloudtrail-outcome.ts';
import { cloudTrailTarget } from './cloudtrail-target.ts';
import { deriveAuditId, envelope, fromOptions, type Mapper } from './mapper.ts';
import { identity, list, MappingError, object, type SourceObject, text } from './source-json.ts';

/**
 * Maps AWS CloudTrail records (CloudTrail User Guide, "CloudTrail record contents"). One record becomes one event of the
 * type `aws.<service>.<event name>`. Its id is derived from `eventID`, which AWS chooses; the account is its namespace, the
 * region its cluster. Records without an API call have other types: see {@link callOf}.
 */
export const mapCloudTrail: Mapper = (source, options) => {
  const record = source.value;
  const eventId = text(record.eventID);
  const eventTime = text(record.eventTime);
  const call = callOf(record);
  if (eventId === undefined || eventTime === undefined || call === undefined) {
    throw new MappingError(
      'FIELD_REQUIRED',
      'not a CloudTrail record: it needs eventID, eventTime, and eventSource with eventName, or eventCategory with eventType',
    );
  }
  const { service, action, eventSource, eventName, details } = call;
  const outcome = cloudTrailOutcome(record, details, eventName);
  return {
    audit_id: deriveAuditId('cloudtrail', eventId),
    tenant_id: options.tenantOf!(record),
    timestamp: utcTimestamp(eventTime, 'eventTime'),
    event_type: `aws.${service}.${action}`,
    event_category: categoryOf(record, service),
    event_action: action,
    ...present({ severity: severityOf(details, service, eventName, outcome?.outcome_status) }),
    ...cloudTrailActor(object(details.userIdentity), eventSource),
    ...(call.target ?? cloudTrailTarget(details, service)),
    ...present({ source_ip: addressOf(details.sourceIPAddress) }),
    ...present({
      correlation_id: identifier(text(record.requestID) ?? text(record.sharedEventID)),
      namespace: identifier(identity(record.recipientAccountId)),
      cluster: identifier(text(record.awsRegion)),
      outcome,
    }),
    event_data: envelope(
      source,
      { service: eventSource, operation: eventName, status: outcome?.outcome_status ?? 'unknown' },
      payloadOf(record),
    ),
    metadata: present({ platform: 'aws', request_id: identifier(text(record.requestID)) }),
    source_service: options.sourceService ?? 'cloudtrail',
    ...fromOptions(options),
  };
};

/** The address of the caller. CloudTrail names a service of AWS here, such as `cloudformation.amazonaws.com`, if that made the call. */
function addressOf(value: unknown): string | undefined {
  const known = text(value);
  return known !== undefined && ipPattern.test(known) ? known : undefined;
}

const signInServices = ['signin', 'sts', 'sso', 'cognito-idp', 'rolesanywhere'];
const securityServices = [
  'iam',
  'kms',
  'cloudtrail',
  'guardduty',
  'securityhub',
  'config',
  'secretsmanager',
  'organizations',
];

function categoryOf(record: SourceObject, service: string): string {
  if (signInServices.includes(service)) return 'auth';
  if (record.eventCategory === 'Data') return 'data';
  if (record.eventType === 'AwsServiceEvent' || service === 'insight') return 'system';
  if (isReadOnly(record)) return 'access';
  return securityServices.includes(service) ? 'security' : 'action';
}

/** Calls that switch a trail off: MITRE ATT&CK T1562.008. */
const disabling = ['StopLogging', 'DeleteTrail', 'UpdateTrail', 'PutEventSelectors', 'DeleteEventDataStore'];

function severityOf(
  record: SourceObject,
  service: string,
  eventName: string,
  status: string | undefined,
): 'warning' | 'critical' | undefined {
  if (service === 'cloudtrail' && disabling.includes(eventName)) return 'critical';
  const isRoot = object(record.userIdentity).type === 'Root' && !isReadOnly(record);
  return isRoot || status === 'denied' || (status === 'failure' && service === 'signin')
    ? 'warning'
    : undefined;
}

/** Older records have the value as a string. */
function isReadOnly(record: SourceObject): boolean {
  return record.readOnly === true || record.readOnly === 'true';
}

function payloadOf(record: SourceObject): { readonly [member: string]: unknown } {
  const details = object(record.eventData);
  const user = object(record.userIdentity ?? details.userIdentity);
  const session = object(user.sessionContext);
  const issuer = object(session.sessionIssuer);
  const attributes = object(session.attributes);
  const requestParameters = boundedCopy(record.requestParameters);
  return present({
    event_version: short(record.eventVersion),
    event_source: short(record.eventSource),
    event_name: short(record.eventName),
    event_type: short(record.eventType),
    event_category: short(record.eventCategory),
    aws_region: short(record.awsRegion),
    recipient_account_id: identity(record.recipientAccountId),
    source_ip_address: short(record.sourceIPAddress),
    user_agent: short(record.userAgent),
    request_id: short(record.requestID),
    shared_event_id: short(record.sharedEventID),
    vpc_endpoint_id: short(record.vpcEndpointId),
    read_only: record.readOnly === undefined ? undefined : isReadOnly(record),
    management_event: typeof record.managementEvent === 'boolean' ? record.managementEvent : undefined,
    identity: present({
      type: short(user.type),
      principal_id: short(user.principalId),
      arn: short(user.arn),
      account_id: identity(user.accountId),
      access_key_id: short(user.accessKeyId),
      user_name: short(user.userName),
      invoked_by: short(user.invokedBy),
      session_issuer_arn: short(issuer.arn),
      mfa_authenticated: short(attributes.mfaAuthenticated),
    }),
    resources: list(record.resources).length > 0 ? boundedCopy(record.resources) : undefined,
    request_parameters: requestParameters ?? undefined,
    insight_details: boundedCopy(record.insightDetails),
    service_event_details: boundedCopy(record.serviceEventDetails),
    addendum: boundedCopy(record.addendum),
    // Otherwise it would look as if the request had no parameters.
    request_parameters_left_out:
      requestParameters === undefined && record.requestParameters !== undefined ? true : undefined,
  });
}

function short(value: unknown): string | undefined {
  const known = text(value);
  return known === undefined ? undefined : clip(known, 2_048);
}
