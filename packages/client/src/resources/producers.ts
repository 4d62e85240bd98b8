import type {
  ProducerAccount,
  ProducerPage,
  ProducerSettlement,
  ProducerState,
  ProducersSettled,
} from '@tallystick/protocol';
import { defaultPageSize, itemsOf } from '../pages.ts';
import type { CallOptions, Sender } from '../sender.ts';
import type { PageQuery } from './tenants.ts';

/** Which accounts of producers. */
export interface ProducerQuery {
  /** @defaultValue every tenant of the API key */
  readonly tenant_id?: string | undefined;
  /** Also producers that are closed or running. @defaultValue false */
  readonly all?: boolean | undefined;
  /** Of these, only accounts in this state. Closed and running ones need `all`. @defaultValue every state */
  readonly state?: ProducerState | undefined;
  /** How long a producer may be silent before it counts as ended. @defaultValue 3600 */
  readonly silent_seconds?: number | undefined;
}

/** What each producer sent, by its own numbering, and what is missing of it. */
export interface ProducersResource {
  list(query?: ProducerQuery & PageQuery, options?: CallOptions): Promise<ProducerPage>;
  listAll(query?: ProducerQuery, options?: CallOptions): AsyncIterable<ProducerAccount>;
  /**
   * Closes the accounts of abandoned producers and declares their open numbers lost. Only counts them unless `dry_run` is
   * false. Needs the scope `admin`. Not retried unless it is a dry run.
   */
  settle(settlement: ProducerSettlement, options?: CallOptions): Promise<ProducersSettled>;
}

export function producersResource(sender: Sender): ProducersResource {
  const list: ProducersResource['list'] = async (query = {}, { signal } = {}) =>
    await sender.json({ path: 'v1/audit/producers', query: { ...query }, signal });
  return {
    list,
    listAll: (query = {}, options = {}) =>
      itemsOf(
        (cursor) => list({ ...query, limit: defaultPageSize, cursor }, options),
        ({ producers }) => producers,
      ),
    settle: async (settlement, { signal } = {}) =>
      await sender.json({
        method: 'POST',
        path: 'v1/audit/producers/settle',
        body: JSON.stringify(settlement),
        // A repetition after a lost answer would find the accounts closed, and report that it closed none.
        idempotent: settlement.dry_run !== false,
        signal,
      }),
  };
}
