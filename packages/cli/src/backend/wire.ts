import { setTimeout as wait } from 'node:timers/promises';
import { CliError } from '../errors.ts';

export interface WireRequest {
  readonly method?: 'GET' | 'POST' | 'DELETE';
  /** JSON text. */
  readonly body?: string;
  readonly headers?: { readonly [name: string]: string };
  readonly signal?: AbortSignal;
}

/**
 * Carries requests to the HTTP API, to a service far away or to one in this process. Answers that are not 2xx MUST be
 * thrown as a {@link CliError}.
 */
export type Wire = (path: string, request?: WireRequest) => Promise<Response>;

/** How long to wait before each further try, ms. A Retry-After of the service's own counts more. */
const retryDelaysMs = [500, 2_000, 5_000];
const longestRetryAfterMs = 30_000;

/**
 * A wire over HTTP. Tries again what may pass by itself: everything that goes over it is idempotent, events by their
 * `audit_id`.
 */
export function httpWire(
  base: URL,
  key: string | undefined,
  delaysMs: readonly number[] = retryDelaysMs,
): Wire {
  // A base without a slash at its end would lose its last part when paths are resolved against it.
  const root = new URL(base.href.endsWith('/') ? base.href : `${base.href}/`);
  return async (path, { method = 'GET', body, headers, signal } = {}) => {
    const init: RequestInit = {
      method,
      // A redirect would carry the key to wherever it points.
      redirect: 'error',
      headers: {
        ...headers,
        ...(key !== undefined && { authorization: `Bearer ${key}` }),
        ...(body !== undefined && { 'content-type': 'application/json' }),
      },
      ...(body !== undefined && { body }),
      ...(signal !== undefined && { signal }),
    };
    for (let attempt = 0; ; attempt++) {
      const delay = delaysMs[attempt];
      let response: Response;
      try {
        response = await fetch(new URL(path, root), init);
      } catch (error) {
        if (signal?.aborted === true) throw error;
        if (delay === undefined) throw unreachable(root, error);
        await wait(delay, undefined, signal === undefined ? {} : { signal });
        continue;
      }
      if (response.ok) return response;
      if (delay === undefined || !isTransient(response.status))
        throw await refusal(response, root.origin, key);
      await response.body?.cancel();
      await wait(retryAfterMs(response) ?? delay, undefined, signal === undefined ? {} : { signal });
    }
  };
}

function unreachable(root: URL, error: unknown): CliError {
  const cause = (error as Error).cause as NodeJS.ErrnoException | undefined;
  const why = cause?.code ?? cause?.message ?? (error as Error).message;
  return new CliError('SERVICE_UNREACHABLE', `no answer from ${root.origin}: ${why}`, { cause: error });
}

/** What an answer other than 2xx says. It is problem+json (RFC 9457), but a proxy in between may say anything. */
async function refusal(response: Response, place: string, key: string | undefined): Promise<CliError> {
  const problem = (await response.json().catch(() => ({}))) as {
    title?: string;
    detail?: string;
    code?: string;
  };
  const what = problem.detail ?? problem.title ?? response.statusText;
  const named = problem.code === undefined ? '' : ` ${problem.code}`;
  const message = `${place} answered ${response.status}${named}: ${what}`;
  if (response.status === 401 && key === undefined) {
    return new CliError('UNAUTHORIZED', message, {
      hint: 'give an API key: --key KEY, or TALLYSTICK_API_KEY',
    });
  }
  if (response.status === 401 || response.status === 403) return new CliError('UNAUTHORIZED', message);
  if (response.status === 404) return new CliError('NOT_FOUND', message);
  if (response.status < 500 && !isTransient(response.status)) return new CliError('REQUEST_REFUSED', message);
  return new CliError('SERVICE_ERROR', message);
}

function isTransient(status: number): boolean {
  return status === 408 || status === 425 || status === 429 || status >= 500;
}

function retryAfterMs(response: Response): number | undefined {
  const seconds = Number(response.headers.get('retry-after') ?? Number.NaN);
  return Number.isFinite(seconds) && seconds >= 0
    ? Math.min(seconds * 1_000, longestRetryAfterMs)
    : undefined;
}
