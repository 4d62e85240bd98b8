import type { TenantInfo, TenantPage } from '@tallystick/protocol';
import { defaultPageSize, itemsOf } from '../pages.ts';
import type { CallOptions, Sender } from '../sender.ts';

/** One page of a list. */
export interface PageQuery {
  /** Items of the page, 1 to 1000. */
  readonly limit?: number | undefined;
  /** `next_cursor` of the page before. */
  readonly cursor?: string | undefined;
}

/** Which tenants to list. */
export interface TenantQuery {
  /** Only this one. @defaultValue every tenant of the API key */
  readonly tenant_id?: string | undefined;
}

/** The tenants of the API key that have a chain. */
export interface TenantsResource {
  /** One page, ordered by the tenants' ids. */
  list(query?: TenantQuery & PageQuery, options?: CallOptions): Promise<TenantPage>;
  listAll(options?: CallOptions): AsyncIterable<TenantInfo>;
}

export function tenantsResource(sender: Sender): TenantsResource {
  const list: TenantsResource['list'] = async (query = {}, { signal } = {}) =>
    await sender.json({ path: 'v1/tenants', query: { ...query }, signal });
  return {
    list,
    listAll: (options = {}) =>
      itemsOf(
        (cursor) => list({ limit: defaultPageSize, cursor }, options),
        ({ tenants }) => tenants,
      ),
  };
}
