import { type ApiKeyInfo, type Scope, scopes } from '@tallystick/protocol';
import { Option } from 'commander';
import type { Register } from '../../context.ts';
import { CliError } from '../../errors.ts';
import { shortTime } from '../../terminal/event-columns.ts';
import { renderTable } from '../../terminal/table.ts';
import { addExamples } from '../options/examples.ts';
import { age, isAge } from '../options/option-values.ts';
import { scopeHelp } from './scope-help.ts';

interface CreateOptions {
  readonly name: string;
  readonly scope: readonly Scope[];
  readonly allTenants?: boolean;
  readonly expires?: string;
  readonly subject?: string;
}

/** `tally api-keys`: keys with which applications and people call the service. */
export const registerApiKeys: Register = (program, run) => {
  const apiKeys = program
    .command('api-keys')
    .summary('list, create and revoke API keys')
    .description('Manages the API keys of a service or store.');

  const list = apiKeys
    .command('list')
    .summary('list all API keys')
    .description('Lists all API keys, without their secrets.');
  addExamples(list, 'tally api-keys list');
  run(list, async (context) => {
    const { terminal } = context;
    await using backend = await context.openBackend();
    const keys = await backend.client.apiKeys.list();
    if (terminal.json) await terminal.jsonLine(keys);
    else if (keys.length === 0) terminal.note('no API keys');
    else await terminal.write(renderTable(terminal, columnsAt(context.processContext.now()), keys));
    return undefined;
  });

  const create = apiKeys
    .command('create')
    .summary('create an API key')
    .description(
      'Creates an API key for one tenant (--tenant) or for all (--all-tenants), and writes it to stdout. It is never shown ' +
        'again: the service keeps only its hash.',
    )
    .requiredOption('--name <name>', 'name of the key for people, such as the application that uses it')
    .addOption(
      new Option('--scope <scope...>', 'what the key may do; several scopes may follow')
        .choices(scopes)
        .makeOptionMandatory(),
    )
    .option('--all-tenants', 'make the key valid for every tenant')
    .option('--subject <name>', 'the person or agent who uses the key; needed to decide approvals')
    .option(
      '--expires <time>',
      'when the key stops working: RFC 3339, or how long from now, such as 90d (default: never)',
    )
    .addHelpText('after', `\nScopes, and the routes that each opens:\n${scopeHelp()}`);
  addExamples(
    create,
    'tally api-keys create --name checkout --scope events:write --tenant acme',
    'tally api-keys create --name maria --scope approvals:decide --subject maria --tenant acme',
    'tally api-keys create --name auditor --scope events:read log:read --tenant acme --expires 2030-01-01T00:00:00Z',
  );
  run<CreateOptions>(create, async (context, options) => {
    const { terminal, settings } = context;
    if (settings.tenant === undefined && options.allTenants !== true) {
      throw new CliError('USAGE', 'name the tenant of the key with --tenant, or give --all-tenants');
    }
    await using backend = await context.openBackend();
    const created = await backend.client.apiKeys.create({
      name: options.name,
      scopes: options.scope,
      ...(options.allTenants !== true && { tenants: [settings.tenant!] }),
      ...(options.subject !== undefined && { subject: options.subject }),
      ...(options.expires !== undefined && {
        expires_at: expiryOf(options.expires, context.processContext.now()),
      }),
    });
    if (terminal.json) await terminal.jsonLine(created);
    else {
      // Only the key goes to stdout, so that it can be piped to a secret store.
      await terminal.line(created.key);
      terminal.note(`created the key ${created.id}; it is not shown again`);
    }
    return undefined;
  });

  const revoke = apiKeys
    .command('revoke')
    .summary('revoke an API key')
    .description(
      'Revokes an API key. It stops working within five seconds, and its streams end within a second.',
    )
    .argument('<id>', 'id of the key, from tally api-keys list');
  addExamples(revoke, 'tally api-keys revoke 0123456789ab');
  run(revoke, async (context, _, [id]) => {
    await using backend = await context.openBackend();
    await backend.client.apiKeys.revoke(id!);
    context.terminal.note(`revoked the key ${id}`);
    return undefined;
  });
};

/** A time stays as it is written, and the service checks it. A duration, such as 90d, is the time so long after now. */
function expiryOf(text: string, now: number): string {
  return isAge(text) ? new Date(now + age(text)).toISOString() : text;
}

function columnsAt(now: number) {
  const stateOf = ({ revoked_at, expires_at }: ApiKeyInfo) => {
    if (typeof revoked_at === 'string') return 'revoked';
    return typeof expires_at === 'string' && Date.parse(expires_at) <= now ? 'expired' : 'valid';
  };
  return [
    { title: 'ID', value: ({ id }: ApiKeyInfo) => id },
    { title: 'NAME', value: ({ name }: ApiKeyInfo) => name, flexible: true },
    { title: 'STATE', value: stateOf },
    { title: 'SUBJECT', value: ({ subject }: ApiKeyInfo) => subject ?? '', flexible: true },
    { title: 'SCOPES', value: ({ scopes }: ApiKeyInfo) => scopes.join(' '), flexible: true },
    { title: 'TENANTS', value: ({ tenants }: ApiKeyInfo) => tenants?.join(' ') ?? '(all)', flexible: true },
    { title: 'CREATED', value: ({ created_at }: ApiKeyInfo) => shortTime(created_at) },
  ];
}
