import { createHash } from 'node:crypto';
import type { AuditEvent } from '@tallystick/event';
import { describe, expect, test } from 'vitest';
import { fixture, mapAll, originalOf } from './map-fixture.ts';

const events = mapAll('cloudtrail', fixture('cloudtrail.json.txt'));
const ofType = (type: string) => events.find(({ event_type }) => event_type === type)!;

/** A record of its own, with the members that every record has. */
const record = (members: object) =>
  JSON.stringify({
    eventID: 'e1',
    eventTime: '2025-03-14T09:26:53Z',
    eventSource: 's3.amazonaws.com',
    eventName: 'GetObject',
    userIdentity: { type: 'IAMUser', userName: 'anaya' },
    ...members,
  });
const mapOne = (members: object): AuditEvent => mapAll('cloudtrail', record(members))[0]!;

test('a data event of a role', () => {
  expect(ofType('aws.s3.get_object')).toMatchObject({
    tenant_id: 'acme',
    timestamp: '2025-03-14T09:26:53Z',
    event_category: 'data',
    event_action: 'get_object',
    actor_type: 'service',
    actor_id: 'arn:aws:sts::123456789012:assumed-role/ledger-task/ledger-task',
    target_type: 's3_object',
    target_id: 'arn:aws:s3:::ledger-exports/2025/03/13.csv',
    entity_ids: ['arn:aws:s3:::ledger-exports/2025/03/13.csv', 'arn:aws:s3:::ledger-exports'],
    correlation_id: 'A1B2C3D4E5F6EXAM',
    namespace: '123456789012',
    cluster: 'eu-central-1',
    outcome: { outcome_status: 'success' },
    source_service: 'cloudtrail',
    event_data: {
      version: '1.0',
      service: 's3.amazonaws.com',
      operation: 'GetObject',
      status: 'success',
      payload: {
        read_only: true,
        request_parameters: { bucketName: 'ledger-exports', key: '2025/03/13.csv' },
      },
    },
  });
});

test('a failed sign-in, a denied attempt to blind the trail, a service, and root', () => {
  expect(ofType('aws.signin.console_login')).toMatchObject({
    event_category: 'auth',
    severity: 'warning',
    actor_type: 'user',
    actor_id: 'anaya',
    outcome: { outcome_status: 'failure', error_message: 'Failed authentication' },
  });
  expect(ofType('aws.cloudtrail.stop_logging')).toMatchObject({
    event_category: 'security',
    severity: 'critical',
    // A role that IAM Identity Center hands to people.
    actor_type: 'user',
    target_id: 'arn:aws:cloudtrail:eu-central-1:123456789012:trail/main',
    outcome: { outcome_status: 'denied', error_code: 'AccessDenied' },
  });
  expect(ofType('aws.kms.rotate_key')).toMatchObject({ event_category: 'system', actor_id: 'AWS Internal' });
  expect(ofType('aws.ec2.terminate_instances')).toMatchObject({
    severity: 'warning',
    target_type: 'instance',
    entity_ids: ['i-0abcdef1234567890', 'i-0fedcba9876543210'],
  });
});

test('the original is the exact slice of the file, with its hash and its big numbers', () => {
  const text = fixture('cloudtrail.json.txt').toString();
  for (const event of events) {
    expect(text).toContain(originalOf(event));
    expect(event.event_data?.source_payload?.sha256).toBe(
      createHash('sha256').update(originalOf(event)).digest('hex'),
    );
  }
  expect(events.map(originalOf).join()).toBe(text.slice('{"Records":['.length, -']}'.length));
  expect(originalOf(events[0]!)).toContain('"bytesTransferredOut":9007199254740993');
});

test('the identity is that of the eventID alone', () => {
  const first = mapOne({ eventID: 'same' }).audit_id;
  expect(mapOne({ eventID: 'same', eventName: 'PutObject' }).audit_id).toBe(first);
  expect(mapOne({ eventID: 'other' }).audit_id).not.toBe(first);
  expect(first).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-/);
});

describe('names', () => {
  test.each([
    ['s3.amazonaws.com', 'ListObjectsV2', 'aws.s3.list_objects_v2'],
    ['rds.amazonaws.com', 'DescribeDBInstances', 'aws.rds.describe_db_instances'],
    ['lambda.amazonaws.com', 'GetFunction20150331v2', 'aws.lambda.get_function20150331v2'],
    ['s3.amazonaws.com.cn', 'GetBucketAcl', 'aws.s3.get_bucket_acl'],
    ['signin.aws.amazon.com', 'Federate', 'aws.signin.federate'],
    ['Ünknown Söurce', '2Fast', 'aws.nknown_s_urce.x2_fast'],
  ])('%s %s', (eventSource, eventName, type) => {
    expect(mapOne({ eventSource, eventName }).event_type).toBe(type);
  });
});

describe('values that a record may have and an event may not', () => {
  test('U+0000, lone surrogates and endless identifiers are cleaned, differently for different ones', () => {
    const arn = (last: string) => ({ userIdentity: { type: 'IAMUser', arn: `${'x'.repeat(600)}${last}` } });
    const event = mapOne({ userAgent: 'a\0b\ud800', ...arn('1') });
    expect(event.event_data?.payload).toMatchObject({ user_agent: 'a\ufffdb\ufffd' });
    expect(event.actor_id).toHaveLength(512);
    expect(event.actor_id).not.toBe(mapOne(arn('2')).actor_id);
  });

  test('big integers become strings, also where they are mapped', () => {
    const text = record({ requestParameters: { size: 1, maxKeys: 2 } }).replace(':2}', ':-9007199254740993}');
    const [event] = mapAll('cloudtrail', text);
    expect(event!.event_data?.payload).toMatchObject({
      request_parameters: { size: 1, maxKeys: '-9007199254740993' },
    });
    expect(originalOf(event!)).toBe(text);
  });

  test('large request parameters stay in the original only, and that is said', () => {
    const { payload } = mapOne({ requestParameters: { policy: 'x'.repeat(10_000) } }).event_data!;
    expect(payload).not.toHaveProperty('request_parameters');
    expect(payload).toMatchObject({ request_parameters_left_out: true });
  });

  test('members named like parts of every object', () => {
    const text = record({}).replace('{', '{"requestParameters":{"__proto__":{"a":1},"constructor":"x"},');
    const { payload } = mapAll('cloudtrail', text)[0]!.event_data!;
    expect(JSON.stringify(payload)).toContain('{"__proto__":{"a":1},"constructor":"x"}');
  });

  test.each(['eventID', 'eventTime', 'eventSource', 'eventName'])(
    'without %s it is not a CloudTrail record',
    (name) => {
      expect(() => mapOne({ [name]: undefined })).toThrow('not a CloudTrail record');
    },
  );
});

describe('how a call ended', () => {
  test.each([
    ['an API call without an error succeeded', { eventType: 'AwsApiCall' }, 'success'],
    ['a call through a VPC endpoint', { eventType: 'AwsVpceEvent', errorCode: 'VpceAccessDenied' }, 'denied'],
    ['an error without a code', { eventType: 'AwsApiCall', errorMessage: 'no' }, 'failure'],
    ['an event of a service does not say', { eventType: 'AwsServiceEvent' }, undefined],
    ['an action in the console does not say', { eventType: 'AwsConsoleAction' }, undefined],
    ['a type that we do not know does not say', { eventType: 'AwsNewEvent' }, undefined],
    ['no type does not say', {}, undefined],
    ['no type in the first version is an API call', { eventVersion: '1.01' }, 'success'],
    ['a sign-in without a result does not say', { eventType: 'AwsConsoleSignIn' }, undefined],
  ])('%s', (_, members, status) => {
    const event = mapOne(members);
    expect(event.outcome?.outcome_status).toBe(status);
    expect(event.event_data?.status).toBe(status ?? 'unknown');
  });

  const signIn = (result: string) =>
    mapOne({
      eventSource: 'signin.amazonaws.com',
      eventName: 'UserAuthentication',
      eventType: 'AwsServiceEvent',
      userIdentity: { type: 'IdentityCenterUser', onBehalfOf: { userId: 'u-7' } },
      serviceEventDetails: { UserAuthentication: result },
    });

  test('a sign-in to IAM Identity Center says it in serviceEventDetails', () => {
    expect(signIn('Failure')).toMatchObject({
      outcome: { outcome_status: 'failure' },
      severity: 'warning',
      actor_type: 'user',
      actor_id: 'u-7',
    });
    expect(signIn('Success')).toMatchObject({ outcome: { outcome_status: 'success' } });
    expect(signIn('Success').severity).toBeUndefined();
  });
});

describe('records that are not calls', () => {
  const bare = (members: object) =>
    mapOne({ eventSource: undefined, eventName: undefined, userIdentity: undefined, ...members });

  test('an Insight has the type of the insight, and the API as its target', () => {
    const insightDetails = {
      state: 'End',
      eventSource: 'iam.amazonaws.com',
      eventName: 'CreateUser',
      insightType: 'ApiErrorRateInsight',
      errorCode: 'LimitExceeded',
    };
    const event = bare({
      eventType: 'AwsCloudTrailInsight',
      eventCategory: 'Insight',
      sharedEventID: 'shared-1',
      insightDetails,
    });
    expect(event).toMatchObject({
      event_type: 'aws.insight.api_error_rate_insight',
      actor_type: 'service',
      actor_id: 'cloudtrail.amazonaws.com',
      target_type: 'aws_api',
      target_id: 'iam.amazonaws.com:CreateUser',
      correlation_id: 'shared-1',
      event_data: { payload: { insight_details: insightDetails } },
    });
    // The insight says that calls failed. It says nothing about how it ended itself.
    expect(event).not.toHaveProperty('outcome');
  });

  test('activity outside of AWS is in eventData', () => {
    const eventData = {
      eventSource: 'erp.example.com',
      eventName: 'DeleteInvoice',
      userIdentity: { type: 'custom', principalId: 4711 },
      errorCode: 'Forbidden',
    };
    expect(bare({ eventCategory: 'ActivityAuditLog', eventType: 'ActivityLog', eventData })).toMatchObject({
      event_type: 'aws.erp_example_com.delete_invoice',
      actor_id: '4711',
      outcome: { outcome_status: 'denied', error_code: 'Forbidden' },
    });
  });

  test('every other is known by its category and type', () => {
    expect(bare({ eventCategory: 'ConfigurationItem', eventType: 'AwsConfigurationItem' })).toMatchObject({
      event_type: 'aws.configuration_item.aws_configuration_item',
      actor_id: 'cloudtrail.amazonaws.com',
    });
  });
});
