import type { ProcessContext } from '../process-context.ts';
import { hasStore, requireStore } from '../service/existing-store.ts';
import type { Target } from '../settings/settings.ts';
import type { Terminal } from '../terminal/terminal.ts';
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
  terminal: Pick<Terminal, 'note'>,
  { mayCreate = false }: { readonly mayCreate?: boolean } = {},
): Promise<Backend> {
  // Imported on demand: an embedded store loads a database, and a command that calls a service must not wait for that.
  if (target.kind === 'service') {
    const { createClient } = await import('@tallystick/client');
    const { ServiceBackend } = await import('./service-backend.ts');
    const { proxyFetch } = await import('./proxy-fetch.ts');
    const { url, credential } = target;
    const fetch = proxyFetch(processContext.env);
    return new ServiceBackend(url, createClient({ url, apiKey: credential, fetch }));
  }
  if (!mayCreate) requireStore(target.path);
  const isNew = !hasStore(target.path);
  const { EmbeddedBackend } = await import('./embedded-backend.ts');
  const backend = await EmbeddedBackend.open(target.path, processContext);
  // A mistyped path must not go unnoticed.
  if (isNew) terminal.note(`created a new store in ${target.path}`);
  return backend;
}
