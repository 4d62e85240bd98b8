import { Option } from 'commander';
import type { Backend } from '../../backend/backend.ts';
import type { Context, GlobalOptions, Register } from '../../context.ts';
import { CliError, exitCodes } from '../../errors.ts';
import { findSourceFiles } from '../../import/files.ts';
import { type Format, type FormatName, formatNames, formats } from '../../import/formats.ts';
import { type ImportTotals, importFiles, type Submit, type SubmitResult } from '../../import/run.ts';
import type { Rejection } from '../../import/source-events.ts';
import { parseTenantTemplate } from '../../import/tenant-template.ts';
import { printableJson } from '../../terminal/printable.ts';
import { ProgressLine } from '../../terminal/progress.ts';
import { addExamples } from '../options/examples.ts';
import { wholeNumber } from '../options/option-values.ts';

interface ImportCommandOptions {
  readonly format: FormatName;
  readonly source?: string;
  readonly cluster?: string;
  readonly origin?: string;
  readonly sensitive?: boolean;
  readonly retentionDays?: number;
  readonly dryRun?: boolean;
}

/** Most rejections that are printed one by one. A file of another format would fill the screen. */
const rejectionsShown = 20;

/** `tally import`: logs of other systems become events. */
export const registerImport: Register = (program, run) => {
  const command = program
    .command('import')
    .summary('import logs of other systems')
    .description(
      'Imports logs of other systems as events, from files (also compressed with gzip) or standard input. Each event gets an ' +
        "id that is derived from the source's own id, or from the file and the line, so that a second import only finds duplicates. --tenant names the tenant, " +
        "or takes it from the source event: 'aws-{recipientAccountId}', or '{objectRef.namespace|cluster}' with a default " +
        'after the bar. The exit code is 1 if a source event is rejected.',
    )
    .argument('[files...]', 'files, glob patterns, or - for standard input (default: standard input)')
    .addOption(
      new Option('--format <format>', 'format of the files').choices(formatNames).makeOptionMandatory(),
    )
    .option('--source <name>', 'source_service of the events (default: the system that wrote the log)')
    .option('--cluster <name>', 'cluster of the events (default: from the source)')
    .option(
      '--origin <name>',
      'for lines without an id: where the files are from (default: name of this host, and the directory of each file)',
    )
    .option('--sensitive', 'mark the events as sensitive')
    .option('--retention-days <days>', 'keep the events for at least this many days', wholeNumber)
    .option('--dry-run', 'write the events as JSON lines and submit nothing');
  addExamples(
    command,
    'tally import --format k8s-audit --tenant acme audit.log',
    "tally import --format cloudtrail --tenant 'aws-{recipientAccountId}' 'logs/**/*.json.gz'",
  );
  run<ImportCommandOptions>(command, importCommand);
};

async function importCommand(
  context: Context,
  options: ImportCommandOptions & GlobalOptions,
  args: readonly string[],
): Promise<number> {
  const { processContext, terminal, settings } = context;
  const format: Format = formats[options.format];
  const tenant = settings.tenant;
  if (tenant === undefined && !format.namesTenant) {
    const hint =
      "for example --tenant acme, or a member of the source event: --tenant 'aws-{recipientAccountId}'";
    throw new CliError('USAGE', `--format ${options.format} needs --tenant`, { hint });
  }
  if (args.length === 0 && processContext.stdin.isTTY === true) {
    throw new CliError('NO_INPUT', 'standard input is empty', { hint: 'name files, or pipe them in' });
  }
  const map = {
    tenantOf: tenant === undefined ? undefined : parseTenantTemplate(tenant),
    sourceService: options.source,
    cluster: options.cluster,
    sensitive: options.sensitive,
    retentionDays: options.retentionDays,
  };
  const files = await findSourceFiles(args.length === 0 ? ['-'] : args, processContext, options.origin);
  const total = files.reduce<number | undefined>((sum, { size }) => add(sum, size), 0);
  const progress = new ProgressLine(terminal, processContext.now);
  const totals: ImportTotals = { files: 0, events: 0, imported: 0, duplicate: 0, rejected: 0, bytes: 0 };
  const isDry = options.dryRun === true;

  await using backend: Backend | undefined = isDry
    ? undefined
    : await context.openBackend({ mayCreate: true });
  const submit: Submit = async (events) => {
    if (backend === undefined) return await printEvents(context, events);
    return await backend.submit(events, `import:${options.format}`);
  };
  try {
    await importFiles(
      files,
      {
        format,
        map,
        submit,
        now: processContext.now,
        stopped: processContext.stopped,
        onProgress: (now) => progress.update({ done: now.bytes, total, text: describe(now, isDry) }),
        onRejected: (rejection) => {
          progress.clear();
          return printRejection(context, rejection, totals, isDry);
        },
      },
      totals,
    );
  } finally {
    progress.clear();
    await printTotals(context, totals, isDry);
  }
  return totals.rejected > 0 || processContext.stopped.aborted ? exitCodes.broken : exitCodes.ok;
}

/** The dry run: prints the events instead of submitting them. */
async function printEvents({ terminal }: Context, events: readonly string[]): Promise<SubmitResult[]> {
  await terminal.write(events.map((event) => `${printableJson(event)}\n`).join(''));
  return events.map(() => ({ status: 'printed' }));
}

/** With --json each rejection is a line on stdout, except in a dry run, where stdout is for the events. */
async function printRejection(
  { terminal }: Context,
  rejection: Rejection,
  totals: ImportTotals,
  isDry: boolean,
): Promise<void> {
  if (terminal.json && !isDry) {
    await terminal.jsonLine({ rejected: rejection });
    return;
  }
  if (totals.rejected > rejectionsShown) return;
  const { file, line, element, code, reason } = rejection;
  const where = `${file === '-' ? 'standard input' : file}:${line}${element === undefined ? '' : ` [${element}]`}`;
  terminal.warn(`${where}: ${reason} (${code})`);
  if (totals.rejected === rejectionsShown)
    terminal.warn('further rejections are only counted; --json prints each of them');
}

async function printTotals(
  { terminal, processContext }: Context,
  totals: ImportTotals,
  isDry: boolean,
): Promise<void> {
  const ended = processContext.stopped.aborted ? { interrupted: true } : {};
  if (isDry) terminal.note(describe(totals, true));
  else if (terminal.json) await terminal.jsonLine({ ...totals, ...ended });
  else {
    const style = totals.rejected > 0 ? 'yellow' : 'green';
    await terminal.line(terminal.style(style, describe(totals, false)));
  }
  if (processContext.stopped.aborted)
    terminal.note('interrupted: run the same command again to import the rest');
}

const numbers = new Intl.NumberFormat('en-US');

function describe({ imported, duplicate, rejected }: Readonly<ImportTotals>, isDry: boolean): string {
  const parts = [`${numbers.format(imported)} ${isDry ? 'mapped' : 'imported'}`];
  if (!isDry) parts.push(`${numbers.format(duplicate)} duplicate`);
  parts.push(`${numbers.format(rejected)} rejected`);
  return parts.join(', ');
}

function add(sum: number | undefined, size: number | undefined): number | undefined {
  return sum === undefined || size === undefined ? undefined : sum + size;
}
