import { Option } from 'commander';
import type { Backend, Receipt, SubmitOutcome } from '../backend/backend.ts';
import type { Context, GlobalOptions, Register } from '../context.ts';
import { CliError, exitCodes } from '../errors.ts';
import { findSourceFiles } from '../import/files.ts';
import { type Format, type FormatName, formatNames, formats } from '../import/formats.ts';
import { type ImportTotals, importFiles, type Submit } from '../import/run.ts';
import type { Rejection } from '../import/source-events.ts';
import { parseTenantTemplate } from '../import/tenant-template.ts';
import { printable } from '../terminal/printable.ts';
import { ProgressLine } from '../terminal/progress.ts';
import { wholeNumber } from './whole-number.ts';

interface ImportCommandOptions {
  readonly format: FormatName;
  readonly source?: string;
  readonly cluster?: string;
  readonly sensitive?: boolean;
  readonly retentionDays?: number;
  readonly dryRun?: boolean;
}

/** Rejections told one by one where a person reads; a file of another format would fill the screen. */
const rejectionsShown = 20;

export const registerImport: Register = (program, run) => {
  const command = program
    .command('import')
    .summary('bring in logs of other systems')
    .description(
      'Brings in logs of other systems: files, glob patterns or - for standard input, gzip or not. Identities are ' +
        "derived from the source's own, so that running it again only finds duplicates. --tenant names the tenant, or " +
        "takes it from the source event: 'aws-{recipientAccountId}', '{objectRef.namespace|cluster}'.",
    )
    .argument('[files...]', 'files, patterns, or -; standard input by default')
    .addOption(
      new Option('--format <format>', 'what the files hold').choices(formatNames).makeOptionMandatory(),
    )
    .option('--source <name>', 'source_service of the events; by default what wrote the log')
    .option('--cluster <name>', 'cluster of the events')
    .option('--sensitive', 'mark the events as sensitive')
    .option('--retention-days <days>', 'keep the events at least so long', wholeNumber)
    .option('--dry-run', 'write the events as JSON lines instead of submitting them');
  run<ImportCommandOptions>(command, importCommand);
};

async function importCommand(
  context: Context,
  options: ImportCommandOptions & GlobalOptions,
  args: readonly string[],
): Promise<number> {
  const { surroundings, terminal, settings } = context;
  const format: Format = formats[options.format];
  const tenant = settings.tenant;
  if (tenant === undefined && !format.namesTenant) {
    const hint =
      "for example --tenant acme, or from the events themselves: --tenant 'aws-{recipientAccountId}'";
    throw new CliError('USAGE', `--format ${options.format} needs --tenant`, { hint });
  }
  if (args.length === 0 && surroundings.stdin.isTTY === true) {
    throw new CliError('NO_INPUT', 'nothing on standard input', { hint: 'name files, or pipe them in' });
  }
  const map = {
    tenantOf: tenant === undefined ? undefined : parseTenantTemplate(tenant),
    sourceService: options.source,
    cluster: options.cluster,
    sensitive: options.sensitive,
    retentionDays: options.retentionDays,
  };
  const files = await findSourceFiles(args.length === 0 ? ['-'] : args, surroundings);
  const total = files.reduce<number | undefined>((sum, { size }) => add(sum, size), 0);
  const progress = new ProgressLine(terminal, surroundings.now);
  const totals: ImportTotals = { files: 0, events: 0, imported: 0, duplicate: 0, rejected: 0, bytes: 0 };
  const isDry = options.dryRun === true;

  await using backend: Backend | undefined = isDry ? undefined : await context.openBackend();
  const submit: Submit = (events) =>
    backend === undefined ? printEvents(context, events) : backend.submit(events, `import:${options.format}`);
  try {
    await importFiles(
      files,
      {
        format,
        map,
        submit,
        now: surroundings.now,
        stopped: surroundings.stopped,
        onProgress: (now) => progress.update({ done: now.bytes, total, text: describe(now, isDry) }),
        onRejected: (rejection) => {
          progress.clear();
          return tellRejection(context, rejection, totals, isDry);
        },
      },
      totals,
    );
  } finally {
    progress.clear();
    await tellTotals(context, totals, isDry);
  }
  return totals.rejected > 0 || surroundings.stopped.aborted ? exitCodes.broken : exitCodes.ok;
}

async function printEvents({ terminal }: Context, events: readonly string[]): Promise<SubmitOutcome[]> {
  await terminal.write(
    events
      .map(
        (event) => `${event}
`,
      )
      .join(''),
  );
  return events.map(() => ({ status: 'chained', receipt: nowhere }));
}

const nowhere: Receipt = {
  tenant_id: '',
  audit_id: '',
  sequence_number: 0,
  record_hash: '',
  epoch: 0,
  ingested_at: '',
};

/** As JSON, each is a line on stdout; in a dry run stdout is for the events. */
async function tellRejection(
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
  terminal.warn(`${printable(where)}: ${printable(reason)} (${code})`);
  if (totals.rejected === rejectionsShown)
    terminal.warn('further rejections are only counted; --json tells each');
}

async function tellTotals(
  { terminal, surroundings }: Context,
  totals: ImportTotals,
  isDry: boolean,
): Promise<void> {
  const ended = surroundings.stopped.aborted ? { interrupted: true } : {};
  if (isDry) terminal.note(describe(totals, true));
  else if (terminal.json) await terminal.jsonLine({ ...totals, ...ended });
  else {
    const style = totals.rejected > 0 ? 'yellow' : 'green';
    await terminal.line(terminal.style(style, describe(totals, false)));
  }
  if (surroundings.stopped.aborted)
    terminal.note('interrupted: the same command continues where this one stopped');
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
