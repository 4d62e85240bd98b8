import { Option } from 'commander';
import type { Backend, EventQuery } from '../backend/backend.ts';
import type { Context, Register } from '../context.ts';
import { CliError } from '../errors.ts';
import { writeOutput } from '../terminal/output-file.ts';
import { ProgressLine } from '../terminal/progress.ts';
import { addFilterOptions, type FilterOptions, filtersOf } from './filter-options.ts';

interface ExportOptions extends FilterOptions {
  readonly format: 'bundle' | 'jsonl';
  readonly output?: string;
  readonly first?: number;
  readonly last?: number;
}

const pageSize = 500;

/** `tally export`: records for somebody else, as a bundle that proves itself or as plain JSON lines. */
export const registerExport: Register = (program, run) => {
  const command = addFilterOptions(
    program
      .command('export')
      .summary('write records to a file')
      .description(
        'Writes a bundle: records with everything needed to check them offline, except the key. Or, as JSON lines, flat ' +
          'records that prove nothing. A file named .gz is compressed.',
      )
      .addOption(
        new Option('--format <format>', 'what to write').choices(['bundle', 'jsonl']).default('bundle'),
      )
      .option('-o, --output <file>', 'write to a file')
      .option('--first <sequence>', 'first record of a part, each with a proof of its own', sequence)
      .option('--last <sequence>', 'last record of the part', sequence),
  );
  run<ExportOptions>(command, async (context, options) => {
    const tenant = context.requireTenant();
    const filters = filtersOf(options);
    if (options.format === 'bundle' && Object.keys(filters).length > 0) {
      throw new CliError('USAGE', 'a bundle holds records as they are chained: filters need --format jsonl');
    }
    await using backend = await context.openBackend();
    const progress = new ProgressLine(context.terminal, context.surroundings.now);
    const bytes =
      options.format === 'bundle'
        ? backend.bundle(tenant, rangeOf(options))
        : flatRecords(backend, { tenant, filters, order: 'asc', limit: pageSize }, options);
    try {
      await writeOutput(context, options.output, counted(context, bytes, progress));
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
  throw new CliError('USAGE', '--first and --last go together, and the first is not after the last');
}

async function* flatRecords(
  backend: Backend,
  query: EventQuery,
  { first, last }: ExportOptions,
): AsyncGenerator<string> {
  const filters = {
    ...query.filters,
    ...(first !== undefined && { sequence_from: String(first) }),
    ...(last !== undefined && { sequence_to: String(last) }),
  };
  let cursor: string | undefined;
  do {
    const page = await backend.listEvents({ ...query, filters, ...(cursor !== undefined && { cursor }) });
    yield page.events.map((event) => `${JSON.stringify(event)}\n`).join('');
    cursor = page.next_cursor ?? undefined;
  } while (cursor !== undefined);
}

async function* counted(
  { surroundings }: Context,
  chunks: AsyncIterable<Uint8Array | string>,
  progress: ProgressLine,
): AsyncGenerator<Uint8Array | string> {
  let bytes = 0;
  for await (const chunk of chunks) {
    if (surroundings.stopped.aborted)
      throw new CliError('OUTPUT_FAILED', 'interrupted: the export is not complete');
    bytes += chunk.length;
    progress.update({ done: bytes, text: `${(bytes / 1e6).toFixed(1)} MB` });
    yield chunk;
  }
}

function sequence(text: string): number {
  if (/^\d{1,15}$/.test(text)) return Number(text);
  throw new CliError('USAGE', `${JSON.stringify(text)} is not a sequence number`);
}
