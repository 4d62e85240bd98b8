import { resolve } from 'node:path';
import type { AuditService, AuditServiceOptions } from '@tallystick/server';
import type { Context, GlobalOptions, Register } from '../context.ts';
import { CliError } from '../errors.ts';
import { serviceTenantIn } from '../settings/service-tenant.ts';
import { portNumber, untilStopped } from './dev.ts';
import { addServeKafkaOptions, type ServeKafkaOptions, serveKafka } from './serve-kafka.ts';

interface ServeCommandOptions extends ServeKafkaOptions {
  readonly host: string;
  readonly port: number;
  readonly databaseUrl?: string;
  readonly signerDir?: string;
  readonly logName?: string;
  readonly serviceTenant?: string;
  readonly createAdminKey?: boolean;
}

/** `tally serve`: the service for production. It starts with everything named, or not at all. */
export const registerServe: Register = (program, run) => {
  const command = program
    .command('serve')
    .summary('run the service')
    .description(
      'Runs the service on PostgreSQL (--database-url) or an embedded store (--data). The log name and, for PostgreSQL, ' +
        "the signer's directory must be named; without an API key it does not start. With --kafka it also reads events " +
        'from a topic, and hands those that come over HTTP to another, its own.',
    )
    .option('--host <host>', 'address to listen on', '127.0.0.1')
    .option('--port <port>', 'port', portNumber, 8040)
    .option(
      '--database-url <url>',
      'PostgreSQL; or TALLYSTICK_DATABASE_URL, which other users of the machine do not see',
    )
    .option('--signer-dir <dir>', "the signer's directory, outside the database; or TALLYSTICK_SIGNER_DIR")
    .option('--log-name <name>', 'name of the log, such as audit.example.com; or TALLYSTICK_LOG_NAME')
    .option(
      '--service-tenant <id>',
      "whose chain holds the service's own records; or TALLYSTICK_SERVICE_TENANT (default: tallystick)",
    )
    .option('--create-admin-key', 'make an API key for everything, write it to stdout, and end');
  addServeKafkaOptions(command);
  run<ServeCommandOptions>(command, async (context, options) => {
    const { AuditService } = await import('@tallystick/server');
    const { ServiceMetrics, serveHttp } = await import('@tallystick/server/http');
    const { describeStoreError } = await import('../backend/store.ts');
    const { now } = context.surroundings;
    const metrics = new ServiceMetrics();
    const opening = AuditService.open({ ...serviceOptions(context, options), ...metrics.hooks });
    const service = await opening.catch((error: unknown) => {
      throw describeStoreError(error, 'the store');
    });
    try {
      if (options.createAdminKey === true) {
        // And no more: the service's log goes to stdout too, and the key must not stand among its lines.
        const { key } = await service.keys.create({ name: 'admin', scopes: ['admin'] });
        await context.terminal.line(key);
        return undefined;
      }
      await assertKey(service);
      const { host, port } = options;
      const kafka = await serveKafka(context, options, service, metrics);
      try {
        const gateway = kafka?.gateway;
        const server = await serveHttp(service, { host, port, now, metrics, gateway }).catch(
          (cause: NodeJS.ErrnoException) => {
            throw new CliError('SERVICE_ERROR', `can't listen on ${host}:${port}: ${cause.code}`, { cause });
          },
        );
        context.terminal.note(`listening on ${server.url}`);
        await untilStopped(context);
        await server.close();
      } finally {
        await kafka?.close();
      }
    } finally {
      await service.close();
    }
    return undefined;
  });
};

/**
 * The store, signer's directory, log name and service's tenant that the flags and the environment name.
 *
 * @throws {CliError} `USAGE` where one that is needed is missing
 */
export function serviceOptions(
  { surroundings: { env, cwd, now } }: Context,
  options: Pick<ServeCommandOptions, 'databaseUrl' | 'signerDir' | 'logName' | 'serviceTenant'> &
    GlobalOptions,
): AuditServiceOptions {
  const databaseUrl = options.databaseUrl ?? env.TALLYSTICK_DATABASE_URL;
  const data = options.data ?? env.TALLYSTICK_DATA;
  const logName = options.logName ?? env.TALLYSTICK_LOG_NAME;
  const signerDirectory = options.signerDir ?? env.TALLYSTICK_SIGNER_DIR;
  if ((databaseUrl === undefined) === (data === undefined)) {
    throw new CliError('USAGE', 'name one store: --database-url URL or --data DIR');
  }
  if (logName === undefined) {
    const hint = 'it stands in every checkpoint for good, such as audit.example.com';
    throw new CliError('USAGE', '--log-name is needed', { hint });
  }
  if (databaseUrl !== undefined && signerDirectory === undefined) {
    const hint =
      'it holds the signing key and what was signed last, and must not be restored with the database';
    throw new CliError('USAGE', '--signer-dir is needed', { hint });
  }
  return {
    store: databaseUrl === undefined ? { directory: resolve(cwd, data!) } : { databaseUrl },
    ...(signerDirectory !== undefined && { signerDirectory: resolve(cwd, signerDirectory) }),
    logName,
    serviceTenant: options.serviceTenant ?? serviceTenantIn(env),
    now,
  };
}

/** No default key and no open door: a service that nobody can use would be opened up in a hurry. */
async function assertKey(service: AuditService): Promise<void> {
  if ((await service.keys.list()).some(({ revoked_at }) => revoked_at === undefined)) return;
  const hint = 'run it once with --create-admin-key, and keep the key that it writes to stdout';
  throw new CliError('USAGE', 'the store has no API key, so nobody could use the service', { hint });
}
