/** What every web integration has in common: an event that a route declares once, filled from each request. */
import type { OutcomeStatus, Severity } from '@tallystick/event';
import type { AuditEmitter } from '../../emitter/emitter.ts';
import type { AuditMetadata, AuditPrincipal } from '../../event/input.ts';

/** A value, or how to find it in a request. */
type From<Req, T> = T | ((request: Req) => T);

/** Who made a request, and for which tenant. Declared once for an application. */
export interface RequestAuditOptions<Req> {
  readonly audit: Pick<AuditEmitter, 'emit'>;
  /** The tenant of a request. @defaultValue the emitter's tenant */
  readonly tenant?: From<Req, string | undefined> | undefined;
  /**
   * Who makes the request. It is called when the response has been sent, so authentication has run.
   *
   * @defaultValue the user `anonymous`
   */
  readonly actor?: ((request: Req) => AuditPrincipal | undefined) | undefined;
  /** For whom the actor acts, the nearest first. */
  readonly onBehalfOf?: ((request: Req) => readonly AuditPrincipal[] | undefined) | undefined;
  /**
   * Called if an event can't be made: a function above throws, or the tenant is missing. The request is not affected.
   *
   * @defaultValue a process warning, once
   */
  readonly onError?: ((error: unknown) => void) | undefined;
}

/** The event that a route emits for each request. */
export interface RouteAudit<Req, Res> {
  readonly eventType: string;
  /** The object that is acted on. */
  readonly target?: ((request: Req, response: Res) => { type: string; id: string } | undefined) | undefined;
  /** The verb, such as `refund`. */
  readonly action?: string | undefined;
  readonly severity?: Severity | undefined;
  readonly isSensitive?: boolean | undefined;
  readonly metadata?: ((request: Req, response: Res) => AuditMetadata | undefined) | undefined;
  readonly context?: ((request: Req, response: Res) => Record<string, unknown> | undefined) | undefined;
  /** How the request ended. @defaultValue from its status, see {@link outcomeOfStatus} */
  readonly outcome?: ((request: Req, response: Res, status: number) => OutcomeStatus | undefined) | undefined;
}

/** What an integration reads from a request by itself. */
export interface RequestFacts {
  readonly method: string;
  /** The route's pattern, such as `/orders/:id`, and not the path: a path contains data. */
  readonly route: string | undefined;
  readonly requestId: string | undefined;
  readonly sourceIp: string | undefined;
  readonly userAgent: string | undefined;
  readonly correlationId?: string | undefined;
  /** `undefined` if the client was gone before the response was complete. */
  readonly status: number | undefined;
  readonly durationMs: number;
  readonly error: unknown;
}

/**
 * The outcome that an HTTP status stands for: below 400 `success`; 401 and 403 `denied`; 408 and 504 `timed_out`; 429 `blocked`;
 * every other one `failure`.
 */
export function outcomeOfStatus(status: number): OutcomeStatus {
  if (status < 400) return 'success';
  if (status === 401 || status === 403) return 'denied';
  if (status === 408 || status === 504) return 'timed_out';
  return status === 429 ? 'blocked' : 'failure';
}
