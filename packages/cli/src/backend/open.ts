import type { Context } from '../context.ts';
import type { Backend } from './backend.ts';

/**
 * Opens what the settings name: a service, or an embedded store's directory.
 *
 * @throws {CliError} `NO_TARGET`, `STORE_UNAVAILABLE`
 */
export async function openBackend(context: Context): Promise<Backend> {
  const target = context.settings.target();
  // Loaded when needed: a store in process brings a database with it, which a call over HTTP must not wait for.
  if (target.kind === 'service') {
    const { HttpBackend } = await import('./http-backend.ts');
    const { httpWire } = await import('./wire.ts');
    return new HttpBackend(target.url.origin, httpWire(target.url, target.key));
  }
  const { EmbeddedBackend } = await import('./embedded.ts');
  return await EmbeddedBackend.open(target.path, context);
}
