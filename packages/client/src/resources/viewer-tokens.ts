import type {
  CreatedViewerToken,
  NewViewerToken,
  ViewerTokenInfo,
  ViewerTokenPage,
  ViewerTokenState,
} from '@tallystick/protocol';
import { defaultPageSize, itemsOf } from '../pages.ts';
import type { CallOptions, Sender } from '../sender.ts';
import type { PageQuery } from './tenants.ts';

/** Tokens with which browsers read a part of one tenant's trail. All calls but `current` need the scope `viewer-tokens:issue`. */
export interface ViewerTokensResource {
  /**
   * Makes a token, in a backend, for the page of one user. Only this answer shows it. A failed request is not repeated, because
   * that could make a second token.
   */
  create(token: NewViewerToken, options?: CallOptions): Promise<CreatedViewerToken>;
  /** One page of the tokens that work at the moment, the newest first. */
  list(query?: PageQuery, options?: CallOptions): Promise<ViewerTokenPage>;
  listAll(options?: CallOptions): AsyncIterable<ViewerTokenInfo>;
  /** @throws {ClientError} `NOT_FOUND`, also for a token that has expired */
  revoke(id: string, options?: CallOptions): Promise<void>;
  /** The token with which the client calls. */
  current(options?: CallOptions): Promise<ViewerTokenState>;
}

export function viewerTokensResource(sender: Sender): ViewerTokensResource {
  const path = 'v1/viewer-tokens';
  const list: ViewerTokensResource['list'] = async (query = {}, { signal } = {}) =>
    await sender.json({ path, query: { ...query }, signal });
  return {
    create: async (token, { signal } = {}) =>
      await sender.json({ method: 'POST', path, body: JSON.stringify(token), signal }),
    list,
    listAll: (options = {}) =>
      itemsOf(
        (cursor) => list({ limit: defaultPageSize, cursor }, options),
        ({ viewer_tokens }) => viewer_tokens,
      ),
    revoke: async (id, { signal } = {}) => {
      await sender.text({ method: 'DELETE', path: `${path}/${encodeURIComponent(id)}`, signal });
    },
    current: async ({ signal } = {}) => await sender.json({ path: `${path}/current`, signal }),
  };
}
