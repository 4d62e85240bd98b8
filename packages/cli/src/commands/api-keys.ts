import { Option } from 'commander';
import type { ApiKeyInfo } from '../backend/backend.ts';
import type { Register } from '../context.ts';
import { CliError } from '../errors.ts';
import { renderTable } from '../terminal/table.ts';
import { shortTime } from './event-columns.ts';

interface CreateOptions {
  readonly name: string;
  readonly scope: readonly string[];
  readonly allTenants?: boolean;
  readonly expires?: string;
}

/** `tally api-keys`: who may write and read. */
export const registerApiKeys: Register = (program, run) => {
  const apiKeys = program.command('api-keys').description('keys of those who may write and read');

  run(apiKeys.command('list').description('list the keys; their secrets are not kept'), async (context) => {
    const { terminal } = context;
    await using backend = await context.openBackend();
    const keys = await backend.listApiKeys();
    if (terminal.json) await terminal.jsonLine(keys);
    else if (keys.length === 0) terminal.note('no keys');
    else await terminal.write(renderTable(terminal, columnsAt(context.surroundings.now()), keys));
    return undefined;
  });

  const create = apiKeys
    .command('create')
    .description('make a key for the tenant that --tenant names, and show it this once')
    .requiredOption('--name <name>', 'whose key it is')
    .addOption(new Option('--scope <scope...>', 'what it may do').makeOptionMandatory())
    .option('--all-tenants', 'for every tenant')
    .option('--expires <time>', 'when it ends, RFC 3339');
  run<CreateOptions>(create, async (context, options) => {
    const { terminal, settings } = context;
    if (settings.tenant === undefined && options.allTenants !== true) {
      throw new CliError('USAGE', 'a key is for one tenant (--tenant) or for all of them (--all-tenants)');
    }
    await using backend = await context.openBackend();
    const made = await backend.createApiKey({
      name: options.name,
      scopes: options.scope,
      ...(options.allTenants !== true && { tenants: [settings.tenant!] }),
      ...(options.expires !== undefined && { expires_at: options.expires }),
    });
    if (terminal.json) await terminal.jsonLine(made);
    else {
      // The key alone on stdout: it can be piped to where it belongs.
      await terminal.line(made.key);
      terminal.note(`made the key ${made.id}; it is not shown again`);
    }
    return undefined;
  });

  const revoke = apiKeys.command('revoke').description('end a key').argument('<id>', 'as the list shows it');
  run(revoke, async (context, _, [id]) => {
    await using backend = await context.openBackend();
    await backend.revokeApiKey(id!);
    context.terminal.note(`revoked the key ${id}`);
    return undefined;
  });
};

function columnsAt(now: number) {
  const stateOf = ({ revoked_at, expires_at }: ApiKeyInfo) => {
    if (typeof revoked_at === 'string') return 'revoked';
    return typeof expires_at === 'string' && Date.parse(expires_at) <= now ? 'expired' : 'valid';
  };
  return [
    { title: 'ID', value: ({ id }: ApiKeyInfo) => id },
    { title: 'NAME', value: ({ name }: ApiKeyInfo) => name, flexible: true },
    { title: 'STATE', value: stateOf },
    { title: 'SCOPES', value: ({ scopes }: ApiKeyInfo) => scopes.join(' '), flexible: true },
    { title: 'TENANTS', value: ({ tenants }: ApiKeyInfo) => tenants?.join(' ') ?? '(all)', flexible: true },
    { title: 'MADE', value: ({ created_at }: ApiKeyInfo) => shortTime(created_at) },
  ];
}
