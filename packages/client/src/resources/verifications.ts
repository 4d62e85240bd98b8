import type { Verification, VerificationPage } from '@tallystick/protocol';
import { defaultPageSize, itemsOf } from '../pages.ts';
import type { CallOptions, Sender } from '../sender.ts';
import type { PageQuery } from './tenants.ts';

/** Whose verifications to list. */
export interface VerificationQuery {
  /** Needed where the API key is for several tenants. */
  readonly tenant_id?: string | undefined;
}

/** The checks of a chain by the service itself: who asked for them, when, and with which verdict. */
export interface VerificationsResource {
  /** One page, the newest first. Needs the scope `log:read`. */
  list(query?: VerificationQuery & PageQuery, options?: CallOptions): Promise<VerificationPage>;
  listAll(query?: VerificationQuery, options?: CallOptions): AsyncIterable<Verification>;
}

export function verificationsResource(sender: Sender): VerificationsResource {
  const list: VerificationsResource['list'] = async (query = {}, { signal } = {}) =>
    await sender.json({ path: 'v1/audit/verifications', query: { ...query }, signal });
  return {
    list,
    listAll: (query = {}, options = {}) =>
      itemsOf(
        (cursor) => list({ ...query, limit: defaultPageSize, cursor }, options),
        ({ verifications }) => verifications,
      ),
  };
}
