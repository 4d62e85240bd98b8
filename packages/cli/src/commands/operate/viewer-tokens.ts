import type { ValueFilters } from '@tallystick/event';
import type { ViewerTokenInfo } from '@tallystick/protocol';
import { Option } from 'commander';
import type { Register } from '../../context.ts';
import { CliError } from '../../errors.ts';
import { shortTime } from '../../terminal/event-columns.ts';
import { printRows } from '../../terminal/listed-rows.ts';
import { addExamples } from '../options/examples.ts';
import { addFilterOptions, type FilterOptions, filtersOf } from '../options/filter-options.ts';
import { age, wholeNumber } from '../options/option-values.ts';

type CreateOptions = FilterOptions & {
  readonly expires?: number;
  readonly records?: boolean;
  readonly ingest?: boolean;
};

const columns = [
  { title: 'ID', value: ({ id }: ViewerTokenInfo) => id },
  { title: 'TENANT', value: ({ tenant_id }: ViewerTokenInfo) => tenant_id },
  { title: 'FILTERS', value: ({ filters }: ViewerTokenInfo) => shownFilters(filters), flexible: true },
  { title: 'BY', value: ({ issued_by }: ViewerTokenInfo) => issued_by },
  { title: 'CREATED', value: ({ created_at }: ViewerTokenInfo) => shortTime(created_at) },
  { title: 'EXPIRES', value: ({ expires_at }: ViewerTokenInfo) => shortTime(expires_at) },
];

/** `tally viewer-tokens`: tokens with which browsers read a part of one tenant's trail. */
export const registerViewerTokens: Register = (program, run) => {
  const viewerTokens = program
    .command('viewer-tokens')
    .summary('make, list and revoke tokens for the embedded viewer')
    .description(
      "Manages viewer tokens: with one, a browser reads a part of one tenant's trail. Applications make them with an API key.",
    );

  const create = addFilterOptions(viewerTokens.command('create'))
    .summary('make a viewer token')
    .description(
      'Makes a token for one tenant (--tenant) and writes it to stdout. It shows only events that match the filters, and ends with the ' +
        'API key of this call. It is never shown again.',
    )
    .addOption(new Option('--expires <age>', 'how long it works: 1m to 1h (default: 15m)').argParser(age))
    .option('--no-records', 'withhold the bytes of records; browsers then can not check their hashes')
    .option('--ingest', 'show how and by whom events were submitted');
  addExamples(
    create,
    'tally viewer-tokens create --tenant acme --actor user:maria',
    "tally viewer-tokens create --tenant acme --metadata customer=4711 --not 'type=config.*' --expires 5m",
  );
  run<CreateOptions>(create, async (context, { expires, records, ingest, ...options }) => {
    const { terminal, settings, processContext } = context;
    const { not = {}, ...given } = filtersOf(options, processContext.now());
    const ranges = Object.keys(given).filter((name) => /^(from|to|ingested_|sequence_)/.test(name));
    if (ranges.length > 0)
      throw new CliError('USAGE', `a viewer token has no filter by ${ranges.join(' or ')}`);
    await using backend = await context.openBackend();
    const created = await backend.client.viewerTokens.create({
      ...(settings.tenant !== undefined && { tenant_id: settings.tenant }),
      filters: { ...named(given as ValueFilters, ''), ...named(not, 'not.') },
      ...(expires !== undefined && { expires_in: Math.floor(expires / 1_000) }),
      ...(records === false && { include_records: false }),
      ...(ingest === true && { include_ingest: true }),
    });
    if (terminal.json) await terminal.jsonLine(created);
    else {
      // Only the token goes to stdout, so that it can be piped to another program.
      await terminal.line(created.token);
      terminal.note(`made the viewer token ${created.id}, which works until ${created.expires_at}`);
    }
    return undefined;
  });

  const list = viewerTokens
    .command('list')
    .summary('list viewer tokens that work at the moment')
    .description('Lists the viewer tokens that have not ended, without their secrets, the newest first.')
    .option('-n, --limit <count>', 'list at most this many tokens (default: all)', wholeNumber);
  addExamples(list, 'tally viewer-tokens list');
  run<{ readonly limit?: number }>(list, async (context, { limit }) => {
    await using backend = await context.openBackend();
    const tokens = backend.client.viewerTokens.listAll();
    await printRows(context.terminal, tokens, { columns, limit, none: 'no viewer tokens' });
    return undefined;
  });

  const revoke = viewerTokens
    .command('revoke')
    .summary('revoke a viewer token')
    .description(
      'Revokes a viewer token. Every replica refuses it at once, and its streams end within a second.',
    )
    .argument('<id>', 'id of the token, from tally viewer-tokens list');
  addExamples(revoke, 'tally viewer-tokens revoke 0123456789abcdef');
  run(revoke, async (context, _, [id]) => {
    await using backend = await context.openBackend();
    await backend.client.viewerTokens.revoke(id!);
    context.terminal.note(`revoked the viewer token ${id}`);
    return undefined;
  });
};

function named(filters: ValueFilters, prefix: string): { [parameter: string]: readonly string[] } {
  return Object.fromEntries(
    Object.entries(filters).map(([name, values]) => [`${prefix}${name}`, [values].flat().map(String)]),
  );
}

function shownFilters(filters: ViewerTokenInfo['filters']): string {
  return Object.entries(filters)
    .map(([name, values]) => `${name}=${[values].flat().join(',')}`)
    .join(' ');
}
