import { existsSync } from 'node:fs';
import { cp, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { ask } from './shared-server.ts';

/**
 * Copies an empty PGlite cluster into the data directory of an embedded store, unless it has one. The store then opens in 0.2
 * seconds; to make the cluster itself, it would compute for 3 seconds. A test of the very first start does not call this.
 *
 * @param directory the store's data directory, as it is given to `AuditService.open`
 */
export async function prepareEmbeddedStore(directory: string): Promise<void> {
  // The place where the embedded store looks for its cluster.
  const cluster = join(directory, 'postgres');
  if (existsSync(cluster)) return;
  const { path } = await ask<{ readonly path: string }>('emptyClusterSocket');
  await mkdir(directory, { recursive: true });
  await cp(path, cluster, { recursive: true });
}
