import { limits, type OutcomeStatus } from '@tallystick/event';
import type { AuditEventInput, AuditPrincipal } from '../../event/input.ts';
import { fittingId, fittingPrincipal } from '../fitting-id.ts';
import { reportTo } from '../report.ts';
import {
  outcomeOfStatus,
  type RequestAuditOptions,
  type RequestFacts,
  type RouteAudit,
} from './route-audit.ts';
import { sourceAddress } from './source-address.ts';

const anonymous: AuditPrincipal = Object.freeze({ actorType: 'user', actorId: 'anonymous' });

/**
 * Emits the event of a route for one request. It never throws: a request must not fail because of its audit event.
 *
 * The client may choose ids, and what the application puts into `context` and `metadata`. A client must not be able to suppress its
 * event with a value that no event can have. So ids that are too long are cut, and an event that is refused all the same is
 * emitted once more without `context` and the application's `metadata`.
 */
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
  const actor = call(() => options.actor?.(request));
  const target = call(() => route.target?.(request, response));
  try {
    const metadata = {
      http_method: facts.method,
      ...(facts.route !== undefined && { http_route: facts.route }),
      ...(facts.status !== undefined && { http_status: facts.status }),
      durationMs: Math.round(facts.durationMs * 1_000) / 1_000,
      ...(facts.requestId !== undefined && { requestId: facts.requestId }),
    };
    const event = {
      tenantId: (typeof tenant === 'function' ? call(() => tenant(request)) : tenant) as string,
      eventType: route.eventType,
      eventAction: route.action,
      severity: route.severity,
      isSensitive: route.isSensitive,
      ...(actor === undefined || actor.actorId === '' ? anonymous : fittingPrincipal(actor)),
      onBehalfOf: call(() => options.onBehalfOf?.(request)?.map(fittingPrincipal)),
      // An empty id names nothing.
      ...(target?.id && { targetType: target.type, targetId: fittingId(target.id) }),
      sourceIp: sourceAddress(facts.sourceIp),
      userAgent: facts.userAgent?.slice(0, limits.maxUserAgentLength),
      correlationId: facts.correlationId,
      outcome: {
        outcomeStatus:
          call(() => outcomeOf(route, request, response, facts)) ??
          (facts.status === undefined ? 'failure' : outcomeOfStatus(facts.status)),
        ...errorOf(facts),
      },
      metadata,
    } satisfies AuditEventInput;
    const result = options.audit.emit({
      ...event,
      context: call(() => route.context?.(request, response)),
      metadata: { ...metadata, ...call(() => route.metadata?.(request, response)) },
    });
    // A stand-in for an emitter may return nothing.
    if (result?.state === 'refused')
      options.audit.emit({ ...event, metadata: { ...metadata, incomplete: true } });
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
function errorOf({ status, error }: RequestFacts): { errorCode?: string } {
  if (status === undefined) return { errorCode: 'CLIENT_DISCONNECTED' };
  if (error === undefined) return {};
  const { code, name } = (error ?? {}) as { code?: unknown; name?: unknown };
  const text = typeof code === 'string' ? code : typeof name === 'string' ? name : 'Error';
  return { errorCode: text.slice(0, 256) };
}
