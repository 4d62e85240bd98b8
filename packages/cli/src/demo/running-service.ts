import { join } from 'node:path';
import { AuditService } from '@tallystick/server';
import { serveHttp } from '@tallystick/server/http';

export const logName = 'demo.tallystick';

/** The audit service on loopback, with its trail in one directory and its signing key in another. */
export interface RunningService extends AsyncDisposable {
  readonly url: string;
  readonly key: string;
  readonly service: AuditService;
  /** A GET with the key; JSON where the answer is JSON, else text. */
  get<T>(path: string): Promise<T>;
}

export interface Places {
  /** Postgres lives here: what the attacker gets. */
  readonly trail: string;
  /** The signer's directory: what the attacker does not get. */
  readonly signer: string;
}

export function placesIn(directory: string): Places {
  return { trail: join(directory, 'trail'), signer: join(directory, 'signer') };
}

export async function startService(places: Places): Promise<RunningService> {
  const service = await AuditService.open({
    store: { directory: places.trail },
    signerDirectory: places.signer,
    logName,
    checkpointIntervalMs: 0,
  });
  const { key } = await service.keys.create({ name: 'demo', scopes: ['admin'] });
  const server = await serveHttp(service, { port: 0, logger: false });
  const { url } = server;
  return {
    url,
    key,
    service,
    get: async <T>(path: string) => {
      const response = await fetch(new URL(path, url), { headers: { authorization: `Bearer ${key}` } });
      if (!response.ok) throw new Error(`GET ${path} answered ${response.status}: ${await response.text()}`);
      const isJson = response.headers.get('content-type')?.includes('json') === true;
      return (isJson ? await response.json() : await response.text()) as T;
    },
    [Symbol.asyncDispose]: async () => {
      await server.close();
      await service.close();
    },
  };
}
