import type { ActorType, AuditEvent, OutcomeStatus } from '@tallystick/event';
import { boundedCopy, clip, identifier, present, typePart, utcTimestamp } from './admissible.ts';
import { deriveAuditId, envelope, fromOptions, type Mapper } from './mapper.ts';
import { identity, list, MappingError, object, type SourceObject, text } from './source-json.ts';

/**
 * Maps Kubernetes audit events (`audit.k8s.io/v1` Event, kube-apiserver Audit Configuration). A request has several stages,
 * and each becomes an event of the type `k8s.<resource>[.<subresource>].<verb>`. Its id is derived from `auditID`, `stage` and
 * the whole text: a client chooses the `auditID` with a header, so it must not keep another request out. The correlation id is
 * the `auditID`.
 */
export const mapKubernetesAudit: Mapper = (source, options) => {
  const audit = source.value;
  const apiVersion = text(audit.apiVersion);
  if (apiVersion !== undefined && !apiVersion.startsWith('audit.k8s.io/')) {
    throw new MappingError(
      'SOURCE_UNSUPPORTED',
      `not an audit event but an object of ${clip(apiVersion, 64)}`,
    );
  }
  const auditId = text(audit.auditID);
  const stage = text(audit.stage);
  const verb = text(audit.verb);
  const time = text(audit.stageTimestamp) ?? text(audit.requestReceivedTimestamp);
  if (auditId === undefined || stage === undefined || verb === undefined || time === undefined) {
    throw new MappingError(
      'FIELD_REQUIRED',
      'not a Kubernetes audit event: it needs auditID, stage, verb and a timestamp',
    );
  }
  const reference = object(audit.objectRef);
  const resource = text(reference.resource);
  const subresource = text(reference.subresource);
  const outcome = outcomeOf(audit, stage);
  const action = typePart(verb);
  const what = [resource ?? 'nonresource', ...(subresource === undefined ? [] : [subresource])];
  const user = object(audit.user);
  const impersonated = text(object(audit.impersonatedUser).username);
  return {
    audit_id: deriveAuditId('k8s-audit', auditId, stage, source.original),
    tenant_id: options.tenantOf!(audit),
    timestamp: utcTimestamp(time, 'stageTimestamp'),
    event_type: ['k8s', ...what.map(typePart), action].join('.'),
    event_category: categoryOf(resource, verb),
    event_action: action,
    ...present({ severity: severityOf(audit, outcome.outcome_status) }),
    ...actorOf(identity(user.username)),
    ...targetOf(audit, reference),
    ...(impersonated !== undefined && { entity_ids: [identifier(impersonated)!] }),
    ...present({ correlation_id: identifier(auditId), namespace: identifier(text(reference.namespace)) }),
    ...(Object.keys(outcome).length > 0 && { outcome }),
    event_data: envelope(
      source,
      {
        service: 'kubernetes',
        operation: `${verb} ${what.join('/')}`,
        status: outcome.outcome_status ?? stage,
      },
      payloadOf(audit),
    ),
    metadata: { platform: 'kubernetes' },
    source_service: options.sourceService ?? 'kube-apiserver',
    ...fromOptions(options),
  };
};

/**
 * Who acted: always the authenticated user, also if it impersonated another one. Kubernetes reserves the prefix `system:`
 * for its own components, except for `system:anonymous` and service accounts.
 */
function actorOf(username: string | undefined): { actor_type: ActorType; actor_id: string } {
  const id = identifier(username);
  if (id === undefined) return { actor_type: 'system', actor_id: 'unknown' };
  if (id.startsWith('system:serviceaccount:')) return { actor_type: 'service', actor_id: id };
  const isComponent = id.startsWith('system:') && id !== 'system:anonymous';
  return { actor_type: isComponent ? 'system' : 'user', actor_id: id };
}

function outcomeOf(audit: SourceObject, stage: string): NonNullable<AuditEvent['outcome']> {
  if (stage === 'Panic') return { outcome_status: 'failure', error_code: 'Panic' };
  if (stage === 'RequestReceived') return { outcome_status: 'pending' };
  const response = object(audit.responseStatus);
  const code = typeof response.code === 'number' ? response.code : undefined;
  const forbidden = object(audit.annotations)['authorization.k8s.io/decision'] === 'forbid';
  const status = statusOf(code, forbidden || response.reason === 'Forbidden', response.status);
  if (status === 'success' && stage === 'ResponseStarted') return { outcome_status: 'pending' };
  if (status === undefined || status === 'success') return present({ outcome_status: status });
  const reason = text(response.reason) ?? (code === undefined ? undefined : String(code));
  const message = text(response.message);
  return {
    outcome_status: status,
    ...(reason !== undefined && { error_code: clip(reason, 256) }),
    ...(message !== undefined && { error_message: clip(message, 16_384) }),
  };
}

/** @param said `status` of the response, which is `Success` or `Failure` */
function statusOf(code: number | undefined, forbidden: boolean, said: unknown): OutcomeStatus | undefined {
  if (forbidden || code === 401 || code === 403) return 'denied';
  if (said === 'Failure' || (code !== undefined && code >= 400)) return 'failure';
  return said === 'Success' || (code !== undefined && code >= 100) ? 'success' : undefined;
}

/** Resources that contain secrets or permissions. */
const securityResources =
  /^(secrets|roles|rolebindings|clusterroles|clusterrolebindings|serviceaccounts|.*reviews|certificatesigningrequests|(validating|mutating).*)$/;
const readVerbs = ['get', 'list', 'watch', 'head', 'options'];

function categoryOf(resource: string | undefined, verb: string): string {
  if (resource !== undefined && securityResources.test(resource)) return 'security';
  return readVerbs.includes(verb.toLowerCase()) ? 'access' : 'action';
}

/** Subresources that give access to a running container: MITRE ATT&CK T1609. */
const interactive = ['exec', 'attach', 'portforward'];

function severityOf(audit: SourceObject, status: string | undefined): 'warning' | 'critical' | undefined {
  if (audit.stage === 'Panic') return 'critical';
  const entersContainer = interactive.includes(text(object(audit.objectRef).subresource) ?? '');
  const impersonates = text(object(audit.impersonatedUser).username) !== undefined;
  return status === 'denied' || entersContainer || impersonates ? 'warning' : undefined;
}

function targetOf(
  audit: SourceObject,
  reference: SourceObject,
): Pick<AuditEvent, 'target_type' | 'target_id'> {
  const resource = text(reference.resource);
  if (resource === undefined) {
    const path = text(audit.requestURI)?.split('?')[0];
    return path === undefined ? {} : { target_type: 'url', target_id: identifier(path)! };
  }
  const group = text(reference.apiGroup);
  // A name that the server generates ("generateName") is only in the response.
  const generated = text(object(object(audit.responseObject).metadata).name);
  const namespace = text(reference.namespace);
  const name = text(reference.name) ?? (audit.verb === 'create' ? generated : undefined);
  const id = [namespace, name].filter((part) => part !== undefined).join('/');
  return {
    target_type: identifier(group === undefined ? resource : `${resource}.${group}`)!,
    ...present({ target_id: identifier(id) }),
  };
}

function payloadOf(audit: SourceObject): { readonly [member: string]: unknown } {
  const response = object(audit.responseStatus);
  return present({
    stage: short(audit.stage),
    level: short(audit.level),
    verb: short(audit.verb),
    request_uri: short(audit.requestURI),
    user: boundedCopy(audit.user),
    impersonated_user: boundedCopy(audit.impersonatedUser),
    source_ips: list(audit.sourceIPs).length > 0 ? boundedCopy(audit.sourceIPs) : undefined,
    user_agent: short(audit.userAgent),
    object_ref: boundedCopy(audit.objectRef),
    response_code: typeof response.code === 'number' ? response.code : undefined,
    response_reason: short(response.reason),
    request_received_timestamp: short(audit.requestReceivedTimestamp),
    stage_timestamp: short(audit.stageTimestamp),
    annotations: boundedCopy(audit.annotations),
  });
}

function short(value: unknown): string | undefined {
  const known = text(value);
  return known === undefined ? undefined : clip(known, 2_048);
}
