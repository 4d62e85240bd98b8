/**
 * Audit events of handlers that are functions: fetch-style handlers (Next.js route handlers, Hono, Workers, Bun, Deno) and functions
 * of any other form, such as those of AWS Lambda.
 *
 * @example
 * export const POST = withAudit(handler, { audit, event: { eventType: 'order.refunded' }, actor: … });
 */
import type { AuditEmitter } from '../emitter/emitter.ts';
import type { DeadlineOptions } from '../emitter/result.ts';
import type { AuditEventInput } from '../event/input.ts';
import { reportTo } from './report.ts';
import { emitRequest } from './request/emit-request.ts';
import type { RequestAuditOptions, RouteAudit } from './request/route-audit.ts';

export { outcomeOfStatus, type RequestAuditOptions, type RouteAudit } from './request/route-audit.ts';

/** What is used of an emitter. */
export type HandlerEmitter = Pick<AuditEmitter, 'emit' | 'close' | 'flush'>;

/** How the events of a handler are delivered. */
export interface DeliveryOptions<Args extends readonly unknown[]> {
  /**
   * The emitter, or a function that makes one for each call. An emitter of its own is closed at the end of the call, which declares
   * to the service that nothing more will come. Use that where the platform freezes or kills the process after each call.
   */
  readonly audit: HandlerEmitter | (() => HandlerEmitter);
  /**
   * Keeps the process alive for the delivery after the response, such as `(promise, _request, _env, context) =>
   * context.waitUntil(promise)`.
   *
   * @defaultValue none: with an emitter per call, the response waits for the delivery; otherwise it is delivered in the background
   */
  readonly waitUntil?: ((delivery: Promise<unknown>, ...args: Args) => void) | undefined;
  /**
   * How long the response waits for the delivery at most, with an emitter per call and without `waitUntil`, in milliseconds. Events
   * that the service does not have by then are lost, and reported to the emitter's `onError`.
   *
   * @defaultValue 2000: many functions may run for three seconds
   */
  readonly deadlineMs?: number | undefined;
}

/** Options of {@link withAudit}. */
export interface WithAuditOptions<Args extends readonly [Request, ...unknown[]]>
  extends DeliveryOptions<Args>,
    Omit<RequestAuditOptions<Request>, 'audit'> {
  /** The event of each request. */
  readonly event: RouteAudit<Request, Response | undefined>;
  /** The pattern of the route, for the record. @defaultValue none */
  readonly route?: string | undefined;
  /** The address of the client. Headers are set by the client unless a proxy replaces them. @defaultValue none */
  readonly clientIp?: ((...args: Args) => string | undefined) | undefined;
}

/**
 * Wraps a fetch-style handler. The returned handler emits one event for each request and otherwise behaves as the given one: the
 * response and thrown errors are the same.
 */
export function withAudit<Args extends readonly [Request, ...unknown[]]>(
  handler: (...args: Args) => Response | Promise<Response>,
  options: WithAuditOptions<Args>,
): (...args: Args) => Promise<Response> {
  return (...args) =>
    deliverAfter(options, args, async (audit) => {
      const startedAt = performance.now();
      let response: Response | undefined;
      let error: unknown;
      try {
        response = await handler(...args);
        return response;
      } catch (thrown) {
        error = thrown;
        throw thrown;
      } finally {
        const durationMs = performance.now() - startedAt;
        if (audit !== undefined) emitOf({ ...options, audit }, args, { response, error, durationMs });
      }
    });
}

/** How a call of a fetch-style handler ended. */
interface HandlerEnd {
  readonly response: Response | undefined;
  readonly error: unknown;
  readonly durationMs: number;
}

/** Emits the event of a call. Never throws, also not for a first argument that is not a request. */
function emitOf<Args extends readonly [Request, ...unknown[]]>(
  options: WithAuditOptions<Args> & { readonly audit: HandlerEmitter },
  args: Args,
  { response, error, durationMs }: HandlerEnd,
): void {
  const [request] = args;
  try {
    emitRequest(options, options.event, request, response, {
      method: request.method,
      route: options.route,
      requestId: request.headers.get('x-request-id') ?? undefined,
      sourceIp: ipOf(options, args),
      userAgent: request.headers.get('user-agent') ?? undefined,
      // A handler that throws becomes a status of 500 in every framework.
      status: response?.status ?? 500,
      durationMs,
      error,
    });
  } catch (thrown) {
    reportTo(options.onError, thrown);
  }
}

/** Options of {@link withAuditFunction}. */
export interface WithAuditFunctionOptions<Args extends readonly unknown[], R> extends DeliveryOptions<Args> {
  /** The event of a call, given how it ended. */
  readonly describe: (end: FunctionEnd<Args, R>) => AuditEventInput;
  /** Called if the event can't be made. The call is not affected. @defaultValue a process warning, once */
  readonly onError?: ((error: unknown) => void) | undefined;
}

/** How a call ended. */
export type FunctionEnd<Args, R> = { readonly args: Args; readonly durationMs: number } & FunctionOutcome<R>;

type FunctionOutcome<R> =
  | { readonly outcome: 'success'; readonly result: R }
  | { readonly outcome: 'failure'; readonly error: unknown };

/** Wraps a function, such as a Lambda handler. The returned function emits one event per call and otherwise behaves as the given one. */
export function withAuditFunction<Args extends readonly unknown[], R>(
  handler: (...args: Args) => R | Promise<R>,
  options: WithAuditFunctionOptions<Args, R>,
): (...args: Args) => Promise<R> {
  return (...args) =>
    deliverAfter(options, args, async (audit) => {
      const startedAt = performance.now();
      const emit = (end: FunctionOutcome<R>) => {
        try {
          audit?.emit(options.describe({ ...end, args, durationMs: performance.now() - startedAt }));
        } catch (error) {
          reportTo(options.onError, error);
        }
      };
      let result: R;
      try {
        result = await handler(...args);
      } catch (error) {
        emit({ outcome: 'failure', error });
        throw error;
      }
      emit({ outcome: 'success', result });
      return result;
    });
}

const defaultDeadlineMs = 2_000;

/** Runs a call, then delivers its event. Whatever goes wrong with the emitter or its delivery, the call ends as it ended. */
async function deliverAfter<Args extends readonly unknown[], R>(
  {
    audit,
    waitUntil,
    deadlineMs = defaultDeadlineMs,
    onError,
  }: DeliveryOptions<Args> & Pick<RequestAuditOptions<never>, 'onError'>,
  args: Args,
  call: (audit: HandlerEmitter | undefined) => Promise<R>,
): Promise<R> {
  const perCall = typeof audit === 'function';
  let emitter: HandlerEmitter | undefined;
  try {
    emitter = perCall ? audit() : audit;
  } catch (error) {
    reportTo(onError, error);
  }
  try {
    return await call(emitter);
  } finally {
    if (emitter !== undefined && (perCall || waitUntil !== undefined)) {
      // With waitUntil the response does not wait, so the deadline of the emitter holds.
      const options = waitUntil === undefined ? { deadlineMs } : {};
      const delivery = deliver(emitter, perCall, options).catch((error: unknown) => reportTo(onError, error));
      if (waitUntil === undefined) await delivery;
      else {
        try {
          waitUntil(delivery, ...args);
        } catch (error) {
          // Where the platform has nothing to wait with, the delivery goes on in the background.
          reportTo(onError, error);
        }
      }
    }
  }
}

async function deliver(emitter: HandlerEmitter, perCall: boolean, options: DeadlineOptions): Promise<void> {
  await (perCall ? emitter.close(options) : emitter.flush(options));
}

function ipOf<Args extends readonly [Request, ...unknown[]]>(
  { clientIp }: WithAuditOptions<Args>,
  args: Args,
): string | undefined {
  try {
    return clientIp?.(...args);
  } catch {
    return undefined;
  }
}
