import { resolve } from 'node:path';
import type { AuditService } from '@tallystick/server';
import type { Context, GlobalOptions, Register } from '../../context.ts';
import { untilStopped } from '../../process-context.ts';
import { embeddedStoreOptions } from '../../service/options.ts';
import { renderFields } from '../../terminal/table.ts';
import { addExamples } from '../options/examples.ts';
import { portNumber } from '../options/option-values.ts';
import { corsOriginOption, corsOriginsOf } from './serve-limits.ts';

interface DevOptions {
  readonly port: number;
  readonly newKey?: boolean;
  readonly corsOrigin?: readonly string[];
}

const defaultDirectory = '.tallystick';

/** `tally dev`: a service on this machine with nothing to set up. It needs an API key all the same, and creates one. */
export const registerDev: Register = (program, run) => {
  const command = program
    .command('dev')
    .summary('run a service on this machine, for development')
    .description(
      'Runs a service with an embedded store on the loopback address. The first start creates an API key and shows it once, ' +
        'with the lines that set up other terminals. Every start shows a link that signs in to the console one time. Not for production: the store survives a killed process, but not a power ' +
        'failure.',
    )
    .option('--port <port>', 'port to listen on; 0 for any free port', portNumber, 8040)
    .option('--new-key', 'create another API key and show it')
    .addOption(corsOriginOption())
    .addHelpText('after', `\nThe store is in --data DIR, by default in ${defaultDirectory}.`);
  addExamples(command, 'tally dev', 'tally dev --port 0 --data /tmp/trail');
  run<DevOptions>(command, async (context, options) => {
    const { combineObservers } = await import('@tallystick/server');
    const { ServiceMetrics } = await import('@tallystick/server/http');
    const { consoleAddress, installedConsole, signInLink } = await import('../../service/console.ts');
    const { listen, openService } = await import('../../service/open.ts');
    const { backgroundWarnings } = await import('../../service/background-warnings.ts');
    const { now } = context.processContext;
    const directory = directoryOf(context, options);
    const metrics = new ServiceMetrics();
    const service = await openService(
      {
        ...embeddedStoreOptions(context.processContext, directory),
        observer: combineObservers(metrics, backgroundWarnings(context.terminal, now)),
      },
      directory,
    );
    try {
      const consoleSite = await installedConsole();
      const server = await listen(service, {
        ...{ port: options.port, logger: false, now, metrics, consoleSite },
        corsOrigins: corsOriginsOf(options, context.processContext),
      });
      const { url } = server;
      try {
        const key = await newKeyFor(service, options);
        const pages = consoleSite && {
          address: consoleAddress(url),
          signIn: signInLink(url, service.signInLinks.create()),
        };
        await printStart(context, { url, directory, key, pages });
        await untilStopped(context.processContext);
      } finally {
        await server.close();
      }
    } finally {
      await service.close();
    }
    context.terminal.note('stopped; every acknowledged event is stored');
    return undefined;
  });
};

function directoryOf({ processContext: { cwd, env } }: Context, { data }: GlobalOptions): string {
  return resolve(cwd, data ?? env.TALLYSTICK_DATA ?? defaultDirectory);
}

/** Creates an API key if the store has no valid one, or if the user asks for another. */
async function newKeyFor(service: AuditService, { newKey }: DevOptions): Promise<string | undefined> {
  const valid = (await service.keys.list()).filter(({ revoked_at }) => revoked_at === undefined);
  if (valid.length > 0 && newKey !== true) return undefined;
  return (await service.keys.create({ name: 'dev', scopes: ['admin'] })).key;
}

interface Started {
  readonly url: string;
  readonly directory: string;
  readonly key: string | undefined;
  readonly pages: { readonly address: string; readonly signIn: string } | undefined;
}

async function printStart({ terminal }: Context, { url, directory, key, pages }: Started): Promise<void> {
  if (terminal.json) {
    await terminal.jsonLine({
      url,
      data: directory,
      ...(pages && { console_url: pages.address }),
      ...(key !== undefined && { key }),
    });
    return;
  }
  await terminal.line(terminal.style(['green', 'bold'], `Tallystick listens on ${url}`));
  await terminal.write(
    renderFields(terminal, [
      ['  store', directory],
      ['  API', `${url}/docs`],
      ['  console', pages?.signIn ?? '(not installed: npm install @tallystick/console)'],
      ['  key', key ?? '(created earlier; tally dev --new-key creates another)'],
    ]),
  );
  if (pages !== undefined)
    await terminal.line('The link to the console signs in one time, within ten minutes.');
  if (key !== undefined) {
    await terminal.line();
    await terminal.line('The key is not shown again. In another terminal, for tally and for the SDK:');
    await terminal.line(`  export TALLYSTICK_URL=${url} TALLYSTICK_API_KEY=${key} TALLYSTICK_TENANT=acme`);
    await terminal.line('  tally emit --type content.publish --actor jane --target post:17');
    await terminal.line('  tally verify');
  }
  terminal.note('Press Ctrl-C to stop.');
}
