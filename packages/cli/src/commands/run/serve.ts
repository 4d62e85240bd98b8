import type { AuditService } from '@tallystick/server';
import type { Register } from '../../context.ts';
import { CliError } from '../../errors.ts';
import { untilStopped } from '../../process-context.ts';
import { requireStore } from '../../service/existing-store.ts';
import { type ProductionOptions, productionOptions } from '../../service/options.ts';
import { addExamples } from '../options/examples.ts';
import { age, portNumber } from '../options/option-values.ts';
import { ageSetting } from './age-setting.ts';
import { addFollowerOptions, type FollowerOptions, followerSettings } from './serve-followers.ts';
import { addServeKafkaOptions, type ServeKafkaOptions, serveKafka } from './serve-kafka.ts';
import { addLimitOptions, type LimitOptions, limitSettings } from './serve-limits.ts';

interface ServeCommandOptions extends ServeKafkaOptions, ProductionOptions, FollowerOptions, LimitOptions {
  readonly host: string;
  readonly port: number;
  readonly createAdminKey?: boolean;
  readonly logins?: string;
  readonly webhooks?: string;
  readonly webhookRetention?: number;
}

/** `tally serve`: the service in production. It refuses to start if something that matters is not named. */
export const registerServe: Register = (program, run) => {
  const command = program
    .command('serve')
    .summary('run the service in production')
    .description(
      'Runs the service on PostgreSQL (--database-url) or on an embedded store (--data). It needs a log name (an existing directory knows its own), for PostgreSQL a ' +
        'directory for the signer, and an API key in the store or --logins. With --kafka it also reads events from a Kafka topic, and sends ' +
        'events that arrive over HTTP through a second topic. SIGTERM stops it in good order.',
    )
    .option('--host <host>', 'address to listen on', '127.0.0.1')
    .option('--port <port>', 'port to listen on; 0 for any free port', portNumber, 8040)
    .option(
      '--database-url <url>',
      'address of the PostgreSQL database; better in TALLYSTICK_DATABASE_URL, which other users can not see',
    )
    .option('--signer-dir <dir>', 'directory of the signer, outside the database; or TALLYSTICK_SIGNER_DIR')
    .option('--log-name <name>', 'name of a new log, such as audit.example.com; or TALLYSTICK_LOG_NAME')
    .option(
      '--service-tenant <id>',
      "tenant whose chain holds the service's own records; or TALLYSTICK_SERVICE_TENANT (default: tallystick)",
    )
    .option(
      '--redaction <rules>',
      'remove secrets from events: on, off, or a JSON file with more rules; or TALLYSTICK_REDACTION (default: as before)',
    )
    .option(
      '--logins <file>',
      'accept logins of an OpenID provider as the JSON file says, beside API keys; or TALLYSTICK_LOGINS',
    )
    .option(
      '--webhooks <file>',
      'send signed messages about approvals to the endpoints of the JSON file; or TALLYSTICK_WEBHOOKS',
    )
    .option(
      '--webhook-retention <age>',
      'how long messages that were given up are kept; or TALLYSTICK_WEBHOOK_RETENTION (default: 30d)',
      age,
    )
    .option('--create-admin-key', 'create an API key with all rights, write it to stdout, and end');
  addServeKafkaOptions(addFollowerOptions(addLimitOptions(command)));
  addExamples(
    command,
    'tally serve --data /var/lib/tallystick --log-name audit.example.com --create-admin-key',
    'tally serve --data /var/lib/tallystick',
  );
  run<ServeCommandOptions>(command, async (context, options) => {
    const { combineObservers } = await import('@tallystick/server');
    const { ServiceMetrics } = await import('@tallystick/server/http');
    const { consoleAddress, installedConsole } = await import('../../service/console.ts');
    const { listen, openService } = await import('../../service/open.ts');
    const { backgroundWarnings } = await import('../../service/background-warnings.ts');
    const { now } = context.processContext;
    const { readLoginsSetting, readWebhooksSetting } = await import('../../service/service-files.ts');
    const { env, cwd } = context.processContext;
    const warn = (message: string) => context.terminal.warn(message);
    const logins = readLoginsSetting(options.logins ?? env.TALLYSTICK_LOGINS, cwd, warn);
    const webhooks = readWebhooksSetting(options.webhooks ?? env.TALLYSTICK_WEBHOOKS, cwd, warn);
    const webhookRetentionMs = ageSetting(options.webhookRetention, 'TALLYSTICK_WEBHOOK_RETENTION', env);
    const limits = limitSettings(options, context.processContext);
    const { openIntents, maxFollowerLagMs } = followerSettings(options, context.processContext);
    const metrics = new ServiceMetrics();
    const serviceOptions = productionOptions(context.processContext, options);
    // A mistyped path must not become a new store without a key.
    if ('directory' in serviceOptions.store && options.createAdminKey !== true) {
      requireStore(serviceOptions.store.directory);
    }
    const service = await openService(
      {
        ...serviceOptions,
        webhooks,
        webhookRetentionMs,
        openIntents,
        observer: combineObservers(metrics, backgroundWarnings(context.terminal, now)),
      },
      'the store',
    );
    try {
      if (options.createAdminKey === true) {
        // The service does not start, because its log goes to stdout too, and would hide the key.
        const { key } = await service.keys.create({ name: 'admin', scopes: ['admin'] });
        await context.terminal.line(key);
        return undefined;
      }
      if (logins === undefined) await assertApiKey(service);
      const { host, port } = options;
      const kafka = await serveKafka(context, options, service, metrics);
      try {
        const consoleSite = await installedConsole();
        const server = await listen(service, {
          host,
          port,
          now,
          metrics,
          logins,
          maxFollowerLagMs,
          ...limits,
          gateway: kafka?.gateway,
          consoleSite,
        });
        context.terminal.note(`listening on ${server.url}`);
        if (consoleSite !== undefined)
          context.terminal.note(`people read the trail at ${consoleAddress(server.url)}`);
        await untilStopped(context.processContext);
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

/** There is no default key. A service that no client can call would tempt its operator to switch authentication off. */
async function assertApiKey(service: AuditService): Promise<void> {
  if ((await service.keys.list()).some(({ revoked_at }) => revoked_at === undefined)) return;
  const hint = 'run this command once with --create-admin-key and keep the key that it writes to stdout';
  throw new CliError('USAGE', 'the store has no API key, so no client could call the service', { hint });
}
