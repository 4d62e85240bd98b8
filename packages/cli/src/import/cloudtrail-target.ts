import type { AuditEvent } from '@tallystick/event';
import { identifier, typePart } from './admissible.ts';
import { identity, list, object, type SourceObject, text } from './source-json.ts';

type Target = Pick<AuditEvent, 'target_type' | 'target_id' | 'entity_ids'>;

/** Request parameters that name the target of a call, the more specific first, and the type of the target. */
const namingParameters: readonly (readonly [parameter: string, type: string])[] = [
  ['roleArn', 'iam_role'],
  ['policyArn', 'iam_policy'],
  ['userName', 'iam_user'],
  ['roleName', 'iam_role'],
  ['groupName', 'group'],
  ['functionName', 'lambda_function'],
  ['secretId', 'secret'],
  ['keyId', 'kms_key'],
  ['tableName', 'dynamodb_table'],
  ['dBInstanceIdentifier', 'db_instance'],
  ['instanceId', 'instance'],
  ['groupId', 'security_group'],
  ['queueUrl', 'sqs_queue'],
  ['topicArn', 'sns_topic'],
  ['clusterName', 'cluster'],
  ['stackName', 'stack'],
  ['trailName', 'trail'],
  ['name', ''],
  ['resourceArn', 'resource'],
];

/**
 * The target of a call: the first of the record's `resources`, which CloudTrail orders from specific to general. Without
 * resources, the target that the request parameters name.
 */
export function cloudTrailTarget(record: SourceObject, service: string): Target {
  const resources = list(record.resources).map(object);
  const arns = resources.map(arnOf).filter((arn) => arn !== undefined);
  if (arns.length > 0) {
    const first = resources.find((resource) => arnOf(resource) !== undefined)!;
    const type = text(first.type) ?? text(first.resourceType);
    return {
      target_type: type === undefined ? `${service}_resource` : resourceType(type),
      target_id: identifier(arns[0])!,
      ...(arns.length > 1 && {
        entity_ids: [...new Set(arns.map((arn) => identifier(arn)!))].slice(0, 1_000),
      }),
    };
  }
  return fromParameters(object(record.requestParameters), service);
}

function arnOf(resource: SourceObject): string | undefined {
  return text(resource.ARN) ?? text(resource.arn) ?? text(resource.resourceName);
}

/** `AWS::S3::Object` → `s3_object`. */
function resourceType(type: string): string {
  return type
    .replace(/^AWS::/, '')
    .split('::')
    .map(typePart)
    .join('_');
}

function fromParameters(parameters: SourceObject, service: string): Target {
  const bucket = text(parameters.bucketName);
  if (bucket !== undefined) {
    const key = text(parameters.key);
    return key === undefined
      ? { target_type: 's3_bucket', target_id: identifier(bucket)! }
      : { target_type: 's3_object', target_id: identifier(`${bucket}/${key}`)! };
  }
  const instances = list(object(parameters.instancesSet).items).map(object);
  const ids = instances
    .map(({ instanceId }) => identifier(identity(instanceId)))
    .filter((id) => id !== undefined);
  if (ids.length > 0) {
    return {
      target_type: 'instance',
      target_id: ids[0]!,
      ...(ids.length > 1 && { entity_ids: ids.slice(0, 1_000) }),
    };
  }
  for (const [parameter, type] of namingParameters) {
    const id = identifier(identity(parameters[parameter]));
    if (id !== undefined) return { target_type: type === '' ? `${service}_resource` : type, target_id: id };
  }
  return {};
}
