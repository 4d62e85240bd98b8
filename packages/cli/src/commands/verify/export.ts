import { type ExportFormatName, exportFormatNames } from '@tallystick/event';
import { Option } from 'commander';
import type { Backend } from '../../backend/backend.ts';
import type { Context, Register } from '../../context.ts';
import { CliError } from '../../errors.ts';
import { writeOutput } from '../../terminal/output-file.ts';
import { ProgressLine } from '../../terminal/progress.ts';
import { addExamples } from '../options/examples.ts';
import { addFilterOptions, type FilterOptions, filtersOf, searchHelp } from '../options/filter-options.ts';
import { sequenceNumber } from '../options/option-values.ts';
import { exportLines, resumeExport } from './export-lines.ts';

interface ExportOptions extends FilterOptions {
  readonly format: 'bundle' | ExportFormatName;
  readonly output?: string;
  readonly first?: number;
  readonly last?: number;
  readonly q?: string;
  readonly reads?: boolean;
  readonly resume?: boolean;
  readonly evidence?: string;
}

/** `tally export`: records for someone else, as a bundle that can be verified or as plain JSON lines. */
export const registerExport: Register = (program, run) => {
  const command = addFilterOptions(
    program
      .command('export')
      .summary("write a tenant's records to a file")
      .description(
        'Writes records as a bundle, with everything that is needed to verify them offline except the verifier key. Or, with ' +
          '--format csv or jsonl, as lines, the oldest first, which can be filtered but prove nothing by themselves. Such an export ' +
          'ends with the newest record at its start. If it is interrupted, --resume goes on with it. A file whose name ends in ' +
          '.gz is compressed. The export is recorded in the chain.',
      )
      .addOption(
        new Option('--format <format>', 'what to write')
          .choices(['bundle', ...exportFormatNames])
          .default('bundle'),
      )
      .option('-o, --output <file>', 'write to this file (default: standard output)')
      .option('--first <sequence>', 'first record of a part; needs --last in a bundle', sequenceNumber)
      .option('--last <sequence>', 'last record of a part; needs --first in a bundle', sequenceNumber)
      .option('--q <search>', `with csv or jsonl: ${searchHelp}`)
      .option(
        '--reads',
        "with csv or jsonl: also export the service's bookkeeping (audit.read, audit.accounts_changed)",
      )
      .option(
        '--resume',
        'continue an unfinished export to the file of -o, with its tenant, format and filters',
      )
      .option(
        '--evidence <file.zip>',
        'with --format csv: write the lines, their records and one proof to an archive that tally verify checks',
      ),
  );
  addExamples(
    command,
    'tally export --tenant acme -o acme.tally.gz',
    'tally export --tenant acme --format csv --from 2026-03-01 --to 2026-04-01 -o march.csv',
    'tally export --tenant acme --format csv --from 30d --evidence march.zip',
    'tally export --tenant acme --format jsonl --actor jane -o jane.jsonl.gz',
  );
  run<ExportOptions>(command, async (context, options) => {
    const noteWritten = (file: string | undefined, events?: number) => {
      if (file !== undefined)
        context.terminal.note(`wrote ${file}${events === undefined ? '' : ` with ${events} events`}`);
    };
    const { format, output, first, last, q, reads, resume, evidence } = options;
    const filters = filtersOf(options, context.processContext.now());
    if (evidence !== undefined) {
      if (format !== 'csv' || output !== undefined || resume === true)
        throw new CliError('USAGE', '--evidence needs --format csv, and excludes -o and --resume');
      const query = {
        tenant_id: context.requireTenant(),
        filters: { ...filters, sequence_from: first, sequence_to: last },
        ...(q !== undefined && { q }),
        ...(reads === true && { include_reads: true }),
      };
      await using backend = await context.openBackend();
      const { exportEvidence } = await import('../../evidence/export-evidence.ts');
      const events = await exportEvidence(context, backend, query, evidence);
      context.terminal.note(
        `wrote ${evidence} with ${events} events; check it with: tally verify ${evidence}`,
      );
      return undefined;
    }
    if (resume === true) {
      const others =
        Object.keys(filters).length > 0 || [first, last, q, reads].some((each) => each !== undefined);
      if (output === undefined || output === '-') throw new CliError('USAGE', '--resume needs the file: -o');
      if (others)
        throw new CliError('USAGE', 'an unfinished export keeps its filters: give only -o with --resume');
      await using backend = await context.openBackend();
      noteWritten(output, await resumeExport(context, backend, output));
    } else if (format === 'bundle') {
      const tenant = context.requireTenant();
      if (Object.keys(filters).length > 0 || q !== undefined || reads === true) {
        throw new CliError('USAGE', 'a bundle can not be filtered', {
          hint: 'use filters with --format csv or jsonl',
        });
      }
      await using backend = await context.openBackend();
      await exportBundle(context, backend, tenant, options);
      noteWritten(output);
    } else {
      const query = {
        tenant_id: context.requireTenant(),
        filters: { ...filters, sequence_from: first, sequence_to: last },
        ...(q !== undefined && { q }),
        ...(reads === true && { include_reads: true }),
        format,
      };
      await using backend = await context.openBackend();
      noteWritten(output, await exportLines(context, backend, query, output));
    }
    return undefined;
  });
};

async function exportBundle(
  context: Context,
  { client }: Backend,
  tenant: string,
  options: ExportOptions,
): Promise<void> {
  const progress = new ProgressLine(context.terminal, context.processContext.now);
  const bytes = client.logs.bundle(tenant, rangeOf(options));
  try {
    await writeOutput(context, options.output, withProgress(context, bytes, progress));
  } finally {
    progress.clear();
  }
}

function rangeOf({ first, last }: ExportOptions): { first: number; last: number } | undefined {
  if (first === undefined && last === undefined) return undefined;
  if (first !== undefined && last !== undefined && first <= last) return { first, last };
  throw new CliError('USAGE', '--first and --last need each other, and --first must not be greater');
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
