import type { OutcomeStatus } from '@tallystick/event';
import { limits } from '@tallystick/event';
import type { AuditEventInput } from '../../event/input.ts';
import { reportTo } from '../report.ts';
import {
  outcomeOfStatus,
  type RequestAuditOptions,
  type RequestFacts,
  type RouteAudit,
} from './route-audit.ts';
import { sourceAddress } from './source-address.ts';

/** Emits the event of a route for one request. It never throws: a request must not fail because of its audit event. */
export function emitRequest<Req, Res>(
  options: RequestAuditOptions<Req>,
  route: RouteAudit<Req, Res>,
  request: Req,
  response: Res,
  facts: RequestFacts,
): void {
  const report = (error: unknown) => reportTo(options.onError, error);
  /** What the application's function returns. If it throws, the event lacks this part, and the others stay. */
  const call = <T>(read: (() => T) | undefined): T | undefined => {
    try {
      return read?.();
    } catch (error) {
      report(error);
      return undefined;
    }
  };
  const { tenant } = options;
  const actor = call(() => options.actor?.(request)) ?? { actorType: 'user', actorId: 'anonymous' };
  const target = call(() => route.target?.(request, response));
  const outcomeStatus =
    call(() => outcomeOf(route, request, response, facts)) ??
    (facts.status === undefined ? 'failure' : outcomeOfStatus(facts.status));
  const errorCode = errorCodeOf(facts);
  try {
    options.audit.emit({
      tenantId: (typeof tenant === 'function' ? call(() => tenant(request)) : tenant) as string,
      eventType: route.eventType,
      eventAction: route.action,
      severity: route.severity,
      isSensitive: route.isSensitive,
      ...actor,
      onBehalfOf: call(() => options.onBehalfOf?.(request)),
      targetType: target?.type,
      targetId: target?.id,
      sourceIp: sourceAddress(facts.sourceIp),
      userAgent: facts.userAgent?.slice(0, limits.maxUserAgentLength),
      correlationId: facts.correlationId,
      context: call(() => route.context?.(request, response)),
      outcome: errorCode === undefined ? outcomeStatus : { outcomeStatus, errorCode },
      metadata: {
        http_method: facts.method,
        ...(facts.route !== undefined && { http_route: facts.route }),
        ...(facts.status !== undefined && { http_status: facts.status }),
        durationMs: Math.round(facts.durationMs * 1_000) / 1_000,
        ...(facts.requestId !== undefined && { requestId: facts.requestId }),
        ...call(() => route.metadata?.(request, response)),
      },
    } satisfies AuditEventInput);
  } catch (error) {
    report(error);
  }
}

function outcomeOf<Req, Res>(
  route: RouteAudit<Req, Res>,
  request: Req,
  response: Res,
  { status }: RequestFacts,
): OutcomeStatus | undefined {
  return status === undefined ? undefined : route.outcome?.(request, response, status);
}

/** The class and code of an error. Its message may contain data of the request, so it is left out. */
function errorCodeOf({ status, error }: RequestFacts): string | undefined {
  if (status === undefined) return 'CLIENT_DISCONNECTED';
  if (error === undefined) return undefined;
  const { code, name } = (error ?? {}) as { code?: unknown; name?: unknown };
  const text = typeof code === 'string' ? code : typeof name === 'string' ? name : 'Error';
  return text.slice(0, 256);
}
