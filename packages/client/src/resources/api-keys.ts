import type { ApiKeyInfo, CreatedApiKey, NewApiKey } from '@tallystick/protocol';
import type { CallOptions, Sender } from '../sender.ts';

/** API keys. Every call needs a key with the scope `admin` for every tenant. */
export interface ApiKeysResource {
  /** All keys without their secrets, revoked ones included. */
  list(options?: CallOptions): Promise<readonly ApiKeyInfo[]>;
  /** Creates a key. The answer is the only place that shows it. Not retried: a repetition would create another key. */
  create(key: NewApiKey, options?: CallOptions): Promise<CreatedApiKey>;
  /** @throws {ClientError} `NOT_FOUND` */
  revoke(id: string, options?: CallOptions): Promise<void>;
}

export function apiKeysResource(sender: Sender): ApiKeysResource {
  const path = 'v1/api-keys';
  return {
    list: async ({ signal } = {}) =>
      (await sender.json<{ readonly api_keys: readonly ApiKeyInfo[] }>({ path, signal })).api_keys,
    create: async (key, { signal } = {}) =>
      await sender.json({ method: 'POST', path, body: JSON.stringify(key), signal }),
    revoke: async (id, { signal } = {}) => {
      await sender.text({ method: 'DELETE', path: `${path}/${encodeURIComponent(id)}`, signal });
    },
  };
}
