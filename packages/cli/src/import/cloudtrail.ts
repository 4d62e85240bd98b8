import type { AuditEvent } from '@tallystick/event';
import { boundedCopy, clip, identifier, present, typePart, utcTimestamp } from './admissible.ts';
import { cloudTrailActor } from './cloudtrail-actor.ts';
import { cloudTrailTarget } from './cloudtrail-target.ts';
import { deriveAuditId, envelope, fromOptions, type Mapper } from './mapper.ts';
import { list, MappingError, object, type SourceObject, text } from './source-json.ts';

/**
 * Maps AWS CloudTrail records (CloudTrail User Guide, "CloudTrail record contents"). One record becomes one event of the
 * type `aws.<service>.<event name>`. Its id is derived from `eventID`; the account is its namespace, the region its cluster.
 */
export const mapCloudTrail: Mapper = (source, options) => {
  const record = source.value;
  const eventId = text(record.eventID);
  const eventTime = text(record.eventTime);
  const eventSource = text(record.eventSource);
  const eventName = text(record.eventName);
  if (
    eventId === undefined ||
    eventTime === undefined ||
    eventSource === undefined ||
    eventName === undefined
  ) {
    throw new MappingError(
      'FIELD_REQUIRED',
      'not a CloudTrail record: it needs eventID, eventTime, eventSource and eventName',
    );
  }
  const service = typePart(eventSource.replace(/\.(?:amazonaws\.com(?:\.cn)?|aws\.amazon\.com|aws)$/, ''));
  const action = typePart(eventName);
  const outcome = outcomeOf(record);
  const actor = cloudTrailActor(object(record.userIdentity), eventSource);
  return {
    audit_id: deriveAuditId('cloudtrail', eventId),
    tenant_id: options.tenantOf!(record),
    timestamp: utcTimestamp(eventTime, 'eventTime'),
    event_type: `aws.${service}.${action}`,
    event_category: categoryOf(record, service),
    event_action: action,
    ...present({ severity: severityOf(record, service, eventName, outcome.outcome_status) }),
    ...actor,
    ...cloudTrailTarget(record, service),
    ...present({
      correlation_id: identifier(text(record.requestID) ?? text(record.sharedEventID)),
      namespace: identifier(text(record.recipientAccountId)),
      cluster: identifier(text(record.awsRegion)),
    }),
    outcome,
    event_data: envelope(
      source,
      { service: eventSource, operation: eventName, status: outcome.outcome_status ?? 'success' },
      payloadOf(record),
    ),
    metadata: present({ platform: 'aws', request_id: identifier(text(record.requestID)) }),
    source_service: options.sourceService ?? 'cloudtrail',
    ...fromOptions(options),
  };
};

const deniedPattern = /AccessDenied|Unauthorized|NotAuthorized|Forbidden|AuthorizationError|AuthFailure/i;

function outcomeOf(record: SourceObject): NonNullable<AuditEvent['outcome']> {
  const errorCode = text(record.errorCode);
  const errorMessage = text(record.errorMessage);
  // The sign-in service reports a wrong password in the response, with an errorMessage but without an errorCode.
  const response = object(record.responseElements);
  const failed =
    Object.values(response).includes('Failure') && text(record.eventSource)?.startsWith('signin.');
  if (errorCode === undefined && errorMessage === undefined && failed !== true)
    return { outcome_status: 'success' };
  const denied = deniedPattern.test(errorCode ?? '');
  return {
    outcome_status: denied ? 'denied' : 'failure',
    ...(errorCode !== undefined && { error_code: clip(errorCode, 256) }),
    ...(errorMessage !== undefined && { error_message: clip(errorMessage, 16_384) }),
  };
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
  if (record.eventType === 'AwsServiceEvent') return 'system';
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
  const identity = object(record.userIdentity);
  const session = object(identity.sessionContext);
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
    recipient_account_id: short(record.recipientAccountId),
    source_ip_address: short(record.sourceIPAddress),
    user_agent: short(record.userAgent),
    request_id: short(record.requestID),
    shared_event_id: short(record.sharedEventID),
    vpc_endpoint_id: short(record.vpcEndpointId),
    read_only: record.readOnly === undefined ? undefined : isReadOnly(record),
    management_event: typeof record.managementEvent === 'boolean' ? record.managementEvent : undefined,
    identity: present({
      type: short(identity.type),
      principal_id: short(identity.principalId),
      arn: short(identity.arn),
      account_id: short(identity.accountId),
      access_key_id: short(identity.accessKeyId),
      user_name: short(identity.userName),
      invoked_by: short(identity.invokedBy),
      session_issuer_arn: short(issuer.arn),
      mfa_authenticated: short(attributes.mfaAuthenticated),
    }),
    resources: list(record.resources).length > 0 ? boundedCopy(record.resources) : undefined,
    request_parameters: requestParameters ?? undefined,
    // Otherwise it would look as if the request had no parameters.
    request_parameters_left_out:
      requestParameters === undefined && record.requestParameters !== undefined ? true : undefined,
  });
}

function short(value: unknown): string | undefined {
  const known = text(value);
  return known === undefined ? undefined : clip(known, 2_048);
}
