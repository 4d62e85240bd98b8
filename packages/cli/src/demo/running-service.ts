import { join } from 'node:path';
import { type Client, createClient } from '@tallystick/client';
import type { AuditService } from '@tallystick/server';
import { installedConsole, signInLink } from '../service/console.ts';
import { listen, openService } from '../service/open.ts';

/** The audit service on the loopback address, with its trail in one directory and its signing key in another. */
export interface RunningService extends AsyncDisposable {
  readonly url: string;
  readonly key: string;
  readonly service: AuditService;
  readonly client: Client;
  /** A new link that signs in to the console one time; `undefined` if the console is not installed. */
  signInLink(): string | undefined;
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
  /** @defaultValue one that is free */
  readonly port?: number | undefined;
  /** A key that an earlier start made; it stays valid, so none is made. @defaultValue a new key */
  readonly key?: string | undefined;
}

export async function startService(
  { trail, signer }: Directories,
  { logName, checkpointIntervalMs = 0, port = 0, key: earlier }: StartOptions = {},
): Promise<RunningService> {
  const service = await openService(
    { store: { directory: trail }, signerDirectory: signer, logName, checkpointIntervalMs },
    trail,
  );
  const key = earlier ?? (await service.keys.create({ name: 'demo', scopes: ['admin'] })).key;
  const consoleSite = await installedConsole();
  const server = await listen(service, { port, logger: false, consoleSite });
  const { url } = server;
  return {
    url,
    key,
    service,
    client: createClient({ url, apiKey: key }),
    signInLink: () => consoleSite && signInLink(url, service.signInLinks.create()),
    [Symbol.asyncDispose]: async () => {
      await server.close();
      await service.close();
    },
  };
}
