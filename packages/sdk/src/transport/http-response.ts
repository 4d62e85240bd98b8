/** Interprets the service's responses. They come over a network, so every member is checked before it is used. */

import { type ItemResult, problemTypeOf, type Reason, type Receipt } from '@tallystick/protocol';
import type { HttpResponse } from './http-request.ts';
import { type Batch, TransportError } from './transport.ts';

/** @throws {TransportError} unless the response contains the outcome of every event */
export function readResults(response: HttpResponse, batch: Batch): readonly ItemResult[] {
  const { status } = response;
  if (status < 200 || status >= 300) throw failureOf(response);
  const results = readItems(response.body, batch.events);
  if (results !== undefined) return results;
  // Not even a 202 is enough: API gateways and firewalls answer so too, to requests that they keep from the service.
  throw new TransportError(`the response (${status}) is not that of an audit service`, {
    retryable: true,
    status,
  });
}

/** The result of every event, or `undefined` if the body does not contain them. */
function readItems(body: string, events: readonly string[]): readonly ItemResult[] | undefined {
  const list = parse(body)?.results;
  if (!Array.isArray(list)) return undefined;
  const results = new Array<ItemResult | undefined>(events.length).fill(undefined);
  for (const [position, item] of list.entries()) {
    const index = isObject(item) && Number.isInteger(item.index) ? (item.index as number) : position;
    const event = events[index];
    if (event !== undefined) results[index] = readItem(item, event);
  }
  return results.every((result) => result !== undefined) ? results : undefined;
}

function readItem(item: unknown, event: string): ItemResult | undefined {
  if (!isObject(item)) return undefined;
  switch (item.status) {
    case 'chained':
    case 'duplicate':
      return isReceipt(item.receipt, event) ? { status: item.status, receipt: item.receipt } : undefined;
    case 'accepted':
      return { status: 'accepted', audit_id: String(item.audit_id ?? '') };
    case 'conflict':
    case 'rejected': {
      const error = isObject(item.error) ? item.error : {};
      return {
        status: item.status,
        error: {
          code: codeOf(error) ?? 'UNKNOWN',
          message: typeof error.message === 'string' ? error.message : '',
          ...(typeof error.pointer === 'string' && { pointer: error.pointer }),
          ...(Array.isArray(error.violations) && { violations: error.violations.filter(isReason) }),
        },
      };
    }
    default:
      return undefined;
  }
}

function isReason(value: unknown): value is Reason {
  return (
    isObject(value) &&
    typeof value.code === 'string' &&
    typeof value.pointer === 'string' &&
    typeof value.message === 'string'
  );
}

/**
 * Whether the value is a receipt of this event. With a receipt of another event, a caller of `record()` would continue although
 * its event may not be in the trail.
 */
function isReceipt(value: unknown, event: string): value is Receipt {
  return (
    isObject(value) &&
    typeof value.audit_id === 'string' &&
    event.includes(`"audit_id":${JSON.stringify(value.audit_id)}`) &&
    typeof value.tenant_id === 'string' &&
    Number.isSafeInteger(value.sequence_number) &&
    typeof value.record_hash === 'string'
  );
}

/** Codes of the service that say nothing about the batch: the address leads to the service, but not to its batch route. */
const codesOfTheAddress: ReadonlySet<unknown> = new Set(['ROUTE_NOT_FOUND', 'METHOD_NOT_ALLOWED']);

/**
 * Only the audit service can refuse a batch for good. A 4xx status without the service's problem document comes from a proxy, an
 * ingress or another server at this address, which knows nothing about the events. Such a batch is sent again.
 */
function failureOf(response: HttpResponse): TransportError {
  const { status } = response;
  const code = problemCodeOf(response.body);
  const unauthorized = status === 401 || status === 403;
  const temporary =
    unauthorized || status < 400 || status === 408 || status === 425 || status === 429 || status >= 500;
  const misdirected = code === undefined || codesOfTheAddress.has(code);
  const message =
    code === undefined && (!temporary || status < 400)
      ? `the response (${status}) is not that of an audit service: check the address and the proxies before it`
      : // The rest of the body is not quoted: it may contain the event.
        `the audit service responded with ${code === undefined ? status : `${status} ${code}`}`;
  return new TransportError(message, {
    retryable: temporary || misdirected,
    status,
    unauthorized,
    tooLarge: status === 413,
    retryAfterMs: retryAfterMs(response.retryAfter),
  });
}

const problemTypes = problemTypeOf('');

/** The code of the service's problem document, or `undefined` if the body is anything else. */
function problemCodeOf(body: string): string | undefined {
  const document = parse(body);
  if (typeof document?.type !== 'string' || !document.type.startsWith(problemTypes)) return undefined;
  return codeOf(document);
}

/** `Retry-After` is a number of seconds or a date: RFC 9110, section 10.2.3. */
function retryAfterMs(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const ms = /^\d{1,9}$/.test(text) ? Number(text) * 1000 : Date.parse(text) - Date.now();
  return Number.isNaN(ms) ? undefined : Math.max(0, ms);
}

function codeOf(source: Record<string, unknown>): string | undefined {
  return typeof source.code === 'string' && /^[A-Z0-9_]{1,64}$/.test(source.code) ? source.code : undefined;
}

function parse(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
