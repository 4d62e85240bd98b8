import { join } from 'node:path';
import { type Client, createClient } from '@tallystick/client';
import type { AuditService } from '@tallystick/server';
import { listen, openService } from '../service/open.ts';

/** The audit service on the loopback address, with its trail in one directory and its signing key in another. */
export interface RunningService extends AsyncDisposable {
  readonly url: string;
  readonly key: string;
  readonly service: AuditService;
  readonly client: Client;
}

export interface Directories {
  /** The database: the attacker gets it. */
  readonly trail: string;
  /** The signing key: the attacker does not get it. */
  readonly signer: string;
}

export function directoriesIn(directory: string): Directories {
  return { trail: join(directory, 'trail'), signer: join(directory, 'signer') };
}

export interface StartOptions {
  /** @defaultValue the name that the directory has; a new one gets a random name */
  readonly logName?: string | undefined;
  /** How often logs that have grown are signed, ms; 0: only when a caller asks for it. @defaultValue 0 */
  readonly checkpointIntervalMs?: number | undefined;
}

export async function startService(
  { trail, signer }: Directories,
  { logName, checkpointIntervalMs = 0 }: StartOptions = {},
): Promise<RunningService> {
  const service = await openService(
    { store: { directory: trail }, signerDirectory: signer, logName, checkpointIntervalMs },
    trail,
  );
  const { key } = await service.keys.create({ name: 'demo', scopes: ['admin'] });
  const server = await listen(service, { port: 0, logger: false });
  const { url } = server;
  return {
    url,
    key,
    service,
    client: createClient({ url, apiKey: key }),
    [Symbol.asyncDispose]: async () => {
      await server.close();
      await service.close();
    },
  };
}
