/** Reads the service's answers. They come over a network, so nothing in them is taken on trust. */
import type { HttpAnswer } from './http.ts';
import { type Batch, type ItemResult, type Reason, type Receipt, TransportError } from './transport.ts';

/**
 * @throws {TransportError} unless the answer says of each event what became of it
 */
export function readResponse(answer: HttpAnswer, batch: Batch): readonly ItemResult[] {
  const { status } = answer;
  if (status < 200 || status >= 300) throw failure(answer);
  const results = readResults(answer.body, batch.events);
  if (results !== undefined) return results;
  // 202 says that all of it was taken, with or without a list.
  if (status === 202) return batch.events.map((event) => ({ status: 'accepted', audit_id: auditId(event) }));
  throw new TransportError(`the answer (${status}) is not that of an audit service`, {
    retryable: true,
    status,
  });
}

function readResults(body: string, events: readonly string[]): readonly ItemResult[] | undefined {
  const answer = parse(body);
  const list = answer?.results;
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

/** Another event's receipt is none: the caller of `record()` would go on for an event that is not there. */
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

function failure(answer: HttpAnswer): TransportError {
  const { status } = answer;
  const unauthorized = status === 401 || status === 403;
  const retryable =
    unauthorized || status < 400 || status === 408 || status === 425 || status === 429 || status >= 500;
  const code = codeOf(parse(answer.body) ?? {});
  // Nothing else of the body is quoted: it may repeat what was sent.
  const what = code === undefined ? `${status}` : `${status} ${code}`;
  return new TransportError(`the audit service answered ${what}`, {
    retryable,
    status,
    unauthorized,
    tooLarge: status === 413,
    retryAfterMs: retryAfterMs(answer.retryAfter),
  });
}

/** RFC 9110 section 10.2.3: seconds, or a date. */
function retryAfterMs(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const ms = /^\d{1,9}$/.test(text) ? Number(text) * 1000 : Date.parse(text) - Date.now();
  return Number.isNaN(ms) ? undefined : Math.max(0, ms);
}

function codeOf(source: Record<string, unknown>): string | undefined {
  return typeof source.code === 'string' && /^[A-Z0-9_]{1,64}$/.test(source.code) ? source.code : undefined;
}

function auditId(event: string): string {
  return String(parse(event)?.audit_id ?? '');
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
