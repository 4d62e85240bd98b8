import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { CliError } from '../errors.ts';
import type { ProcessContext } from '../process-context.ts';
import type { Target } from '../settings/settings.ts';
import type { Backend } from './backend.ts';

/**
 * Opens a service, or the directory of an embedded store.
 *
 * @param options.mayCreate whether a directory without a store becomes a new store. @defaultValue false
 * @throws {CliError} `STORE_UNAVAILABLE`; `USAGE` for a directory without a store
 */
export async function openBackend(
  target: Target,
  processContext: ProcessContext,
  { mayCreate = false }: { readonly mayCreate?: boolean } = {},
): Promise<Backend> {
  // Imported on demand: an embedded store loads a database, and a command that calls a service must not wait for that.
  if (target.kind === 'service') {
    const { createClient } = await import('@tallystick/client');
    const { ServiceBackend } = await import('./service-backend.ts');
    const { url, apiKey } = target;
    return new ServiceBackend(url.origin, createClient({ url, apiKey }));
  }
  if (!mayCreate && !existsSync(join(target.path, 'postgres'))) {
    const hint = 'check the path; tally emit and tally import create a store';
    throw new CliError('USAGE', `there is no store in ${target.path}`, { hint });
  }
  const { EmbeddedBackend } = await import('./embedded-backend.ts');
  return await EmbeddedBackend.open(target.path, processContext);
}
