import { resolve } from 'node:path';
import type { AuditService } from '@tallystick/server';
import type { Context, Register } from '../context.ts';
import { CliError } from '../errors.ts';
import { serviceTenantIn } from '../settings/service-tenant.ts';
import { renderFields } from '../terminal/table.ts';
import { wholeNumber } from './whole-number.ts';

interface DevOptions {
  readonly port: number;
  readonly newKey?: boolean;
}

const defaultDirectory = '.tallystick';

/** `tally dev`: a service on this machine with nothing to set up. Not an open door: a key is made and shown once. */
export const registerDev: Register = (program, run) => {
  const command = program
    .command('dev')
    .summary('run a service on this machine')
    .description(
      `Runs a service with an embedded store (--data, by default ${defaultDirectory}) on the loopback address. At first it ` +
        'makes an API key and shows it this once. The store survives a killed process, not a power cut.',
    )
    .option('--port <port>', 'port; any free one where it is 0', portNumber, 8040)
    .option('--new-key', 'make and show another key');
  run<DevOptions>(command, async (context, options) => {
    const { AuditService } = await import('@tallystick/server');
    const { ServiceMetrics, serveHttp } = await import('@tallystick/server/http');
    const { describeStoreError, embeddedLogName } = await import('../backend/store.ts');
    const { env, cwd, now } = context.surroundings;
    const directory = resolve(
      cwd,
      (options as { data?: string }).data ?? env.TALLYSTICK_DATA ?? defaultDirectory,
    );
    const metrics = new ServiceMetrics();
    let service: AuditService;
    try {
      service = await AuditService.open({
        store: { directory },
        logName: env.TALLYSTICK_LOG_NAME ?? embeddedLogName,
        serviceTenant: serviceTenantIn(env),
        now,
        ...metrics.hooks,
        onBackgroundError: (what, error) => {
          metrics.hooks.onBackgroundError(what, error);
          context.terminal.warn(`${what}: ${(error as Error).message}`);
        },
      });
    } catch (error) {
      throw describeStoreError(error, directory);
    }
    try {
      const server = await serveHttp(service, { port: options.port, logger: false, now, metrics }).catch(
        (cause: NodeJS.ErrnoException) => {
          throw new CliError('SERVICE_ERROR', `can't listen on port ${options.port}: ${cause.code}`, {
            cause,
          });
        },
      );
      try {
        await tell(context, server.url, directory, await keyFor(service, options));
        await untilStopped(context);
      } finally {
        await server.close();
      }
    } finally {
      await service.close();
    }
    context.terminal.note('stopped; everything that was acknowledged is stored');
    return undefined;
  });
};

/** Makes the first key, or another one where it is asked for. */
async function keyFor(service: AuditService, { newKey }: DevOptions): Promise<string | undefined> {
  const valid = (await service.keys.list()).filter(({ revoked_at }) => revoked_at === undefined);
  if (valid.length > 0 && newKey !== true) return undefined;
  return (await service.keys.create({ name: 'dev', scopes: ['admin'] })).key;
}

async function tell(
  context: Context,
  url: string,
  directory: string,
  key: string | undefined,
): Promise<void> {
  const { terminal } = context;
  if (terminal.json) {
    await terminal.jsonLine({ url, data: directory, ...(key !== undefined && { key }) });
    return;
  }
  await terminal.line(terminal.style(['green', 'bold'], `Tallystick listens on ${url}`));
  await terminal.write(
    renderFields(terminal, [
      ['  store', directory],
      ['  API', `${url}/docs`],
      ['  key', key ?? '(made before; tally dev --new-key makes another)'],
    ]),
  );
  if (key !== undefined) {
    await terminal.line('\nThe key is not shown again. In another terminal:');
    await terminal.line(`  export TALLYSTICK_URL=${url} TALLYSTICK_API_KEY=${key} TALLYSTICK_TENANT=acme`);
    await terminal.line(`  export TALLYSTICK_URL=${url} TALLYSTICK_API_KEY=${key}   # what the SDK reads`);
    await terminal.line('  tally emit --type content.publish --actor jane --target post:17');
    await terminal.line('  tally verify');
  }
  terminal.note('\nCtrl-C stops it.');
}

export async function untilStopped({ surroundings: { stopped } }: Context): Promise<void> {
  if (stopped.aborted) return;
  await new Promise<void>((resolve) => {
    stopped.addEventListener('abort', () => resolve(), { once: true });
  });
}

export function portNumber(text: string): number {
  return text === '0' ? 0 : wholeNumber(text);
}
