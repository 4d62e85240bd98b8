import type { Client } from '@tallystick/client';
import type { Context } from '../../context.ts';
import { CliError } from '../../errors.ts';

/**
 * A client of the configured service, for a question about a file that was verified already. It does not retry: a service that
 * is away must not hold up the answer.
 *
 * @throws {CliError} `NO_TARGET` where the settings name no service
 */
export async function serviceToAsk({ settings, processContext }: Context): Promise<Client> {
  const target = settings.target();
  if (target.kind !== 'service')
    throw new CliError('NO_TARGET', 'no service is configured that could prove it');
  const { createClient } = await import('@tallystick/client');
  const { proxyFetch } = await import('../../backend/proxy-fetch.ts');
  const { url, credential } = target;
  return createClient({
    url,
    apiKey: credential,
    fetch: proxyFetch(processContext.env),
    retry: { delaysMs: [] },
  });
}
