import type {
  DeadLetter,
  DeadLetterInfo,
  DeadLetterPage,
  DeadLetterPurge,
  DeadLetterState,
  DeadLettersPurged,
  RetryResult,
} from '@tallystick/protocol';
import { defaultPageSize, itemsOf } from '../pages.ts';
import type { CallOptions, Sender } from '../sender.ts';
import type { PageQuery } from './tenants.ts';

/** Which dead letters to list. A dead letter must match everything that is given. */
export interface DeadLetterQuery {
  /** @defaultValue every tenant of the API key */
  readonly tenant_id?: string | undefined;
  /** @defaultValue 'open' */
  readonly state?: DeadLetterState | undefined;
  /** Code of the refusal. */
  readonly reason?: string | undefined;
  /** Topic of the message that brought the event. */
  readonly topic?: string | undefined;
  /** Last delivered before this time, RFC 3339. */
  readonly before?: string | undefined;
}

/** Events that the service refused and keeps until an operator decides. */
export interface DeadLettersResource {
  /** One page, oldest first. */
  list(query?: DeadLetterQuery & PageQuery, options?: CallOptions): Promise<DeadLetterPage>;
  listAll(query?: DeadLetterQuery, options?: CallOptions): AsyncIterable<DeadLetterInfo>;
  /**
   * One dead letter; with the scope `admin`, its bytes too.
   *
   * @throws {ClientError} `NOT_FOUND`
   */
  get(id: string, options?: CallOptions): Promise<DeadLetter>;
  /** Submits the event again, as it was received. Needs the scope `admin`. */
  retry(id: string, options?: CallOptions): Promise<RetryResult>;
  /**
   * Erases the bytes of dead letters permanently. Only counts them unless `dry_run` is false. Needs the scope `admin`. Not
   * retried unless it is a dry run.
   */
  purge(purge: DeadLetterPurge, options?: CallOptions): Promise<DeadLettersPurged>;
}

export function deadLettersResource(sender: Sender): DeadLettersResource {
  const path = 'v1/dead-letters';
  const list: DeadLettersResource['list'] = async (query = {}, { signal } = {}) =>
    await sender.json({ path, query: { ...query }, signal });
  return {
    list,
    listAll: (query = {}, options = {}) =>
      itemsOf(
        (cursor) => list({ ...query, limit: defaultPageSize, cursor }, options),
        ({ dead_letters }) => dead_letters,
      ),
    get: async (id, { signal } = {}) =>
      await sender.json({ path: `${path}/${encodeURIComponent(id)}`, signal }),
    retry: async (id, { signal } = {}) =>
      await sender.json({
        method: 'POST',
        path: `${path}/${encodeURIComponent(id)}/retry`,
        // The event keeps its `audit_id`: submitted twice, it is chained once.
        idempotent: true,
        signal,
      }),
    purge: async (purge, { signal } = {}) =>
      await sender.json({
        method: 'POST',
        path: `${path}/purge`,
        body: JSON.stringify(purge),
        // A repetition after a lost answer would find no bytes, and report that it erased none.
        idempotent: purge.dry_run !== false,
        signal,
      }),
  };
}
