import type { EventQuery } from '@tallystick/client';
import { Option } from 'commander';
import type { Backend } from '../backend/backend.ts';
import type { Context, Register } from '../context.ts';
import { CliError } from '../errors.ts';
import { writeOutput } from '../terminal/output-file.ts';
import { printableJson } from '../terminal/printable.ts';
import { ProgressLine } from '../terminal/progress.ts';
import { addExamples } from './examples.ts';
import { addFilterOptions, type FilterOptions, filtersOf } from './filter-options.ts';
import { sequenceNumber } from './option-values.ts';

interface ExportOptions extends FilterOptions {
  readonly format: 'bundle' | 'jsonl';
  readonly output?: string;
  readonly first?: number;
  readonly last?: number;
}

const pageSize = 500;

/** `tally export`: records for someone else, as a bundle that can be verified or as plain JSON lines. */
export const registerExport: Register = (program, run) => {
  const command = addFilterOptions(
    program
      .command('export')
      .summary("write a tenant's records to a file")
      .description(
        'Writes records as a bundle, with everything that is needed to verify them offline except the verifier key. Or, with ' +
          '--format jsonl, as flat JSON lines, which can be filtered but prove nothing. A file whose name ends in .gz is ' +
          'compressed.',
      )
      .addOption(
        new Option('--format <format>', 'what to write').choices(['bundle', 'jsonl']).default('bundle'),
      )
      .option('-o, --output <file>', 'write to this file (default: standard output)')
      .option('--first <sequence>', 'first record of a part; needs --last in a bundle', sequenceNumber)
      .option('--last <sequence>', 'last record of a part; needs --first in a bundle', sequenceNumber),
  );
  addExamples(
    command,
    'tally export --tenant acme -o acme.tally.gz',
    'tally export --tenant acme --format jsonl --actor jane -o jane.jsonl',
  );
  run<ExportOptions>(command, async (context, options) => {
    const tenant = context.requireTenant();
    const filters = filtersOf(options, context.processContext.now());
    if (options.format === 'bundle' && Object.keys(filters).length > 0) {
      throw new CliError('USAGE', 'a bundle can not be filtered', {
        hint: 'use filters with --format jsonl',
      });
    }
    await using backend = await context.openBackend();
    const progress = new ProgressLine(context.terminal, context.processContext.now);
    const bytes =
      options.format === 'bundle'
        ? backend.client.logs.bundle(tenant, rangeOf(options))
        : flatRecords(backend, { tenant_id: tenant, filters, order: 'asc' }, options);
    try {
      await writeOutput(context, options.output, withProgress(context, bytes, progress));
    } finally {
      progress.clear();
    }
    if (options.output !== undefined) context.terminal.note(`wrote ${options.output}`);
    return undefined;
  });
};

function rangeOf({ first, last }: ExportOptions): { first: number; last: number } | undefined {
  if (first === undefined && last === undefined) return undefined;
  if (first !== undefined && last !== undefined && first <= last) return { first, last };
  throw new CliError('USAGE', '--first and --last need each other, and --first must not be greater');
}

async function* flatRecords(
  { client }: Backend,
  query: EventQuery,
  { first, last }: ExportOptions,
): AsyncGenerator<string> {
  const filters = { ...query.filters, sequence_from: first, sequence_to: last };
  let cursor: string | undefined;
  do {
    const page = await client.events.list({
      ...query,
      filters,
      include_reads: true,
      limit: pageSize,
      cursor,
    });
    yield page.events.map((event) => `${printableJson(JSON.stringify(event))}\n`).join('');
    cursor = page.next_cursor ?? undefined;
  } while (cursor !== undefined);
}

async function* withProgress(
  { processContext }: Context,
  chunks: AsyncIterable<Uint8Array | string>,
  progress: ProgressLine,
): AsyncGenerator<Uint8Array | string> {
  let bytes = 0;
  for await (const chunk of chunks) {
    if (processContext.stopped.aborted)
      throw new CliError('OUTPUT_FAILED', 'interrupted: the export is incomplete');
    bytes += chunk.length;
    progress.update({ done: bytes, text: `${(bytes / 1e6).toFixed(1)} MB` });
    yield chunk;
  }
}
