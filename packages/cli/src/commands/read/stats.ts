import { facetFields, type IndexedField, readGrouping, timeFacets } from '@tallystick/event';
import { bookkeepingTypes, counted, type Stats, type StatsGrouping } from '@tallystick/protocol';
import { InvalidArgumentError, Option } from 'commander';
import type { Context, Register } from '../../context.ts';
import { CliError } from '../../errors.ts';
import { renderTable } from '../../terminal/table.ts';
import { addExamples } from '../options/examples.ts';
import { addFilterOptions, type FilterOptions, filtersOf, searchHelp } from '../options/filter-options.ts';
import { collect } from '../options/lost-values.ts';
import { wholeNumber } from '../options/option-values.ts';
import { csvOfCounts, shownGroups, statsColumns } from './stats-table.ts';

interface StatsOptions extends FilterOptions {
  readonly by?: readonly string[];
  readonly q?: string;
  readonly csv?: boolean;
  readonly limit: number;
  readonly reads?: boolean;
}

const mostValues = 1_000;
/** Without a width, as in a pipe, bars are those of a terminal of this width. */
const standardWidth = 80;

/** The names that `--by` takes: those of the options for filters. */
const partNames = [
  ...facetFields.map(({ name, filter }: IndexedField) =>
    filter === undefined || filter.kind === 'range' ? name : (filter.option ?? name),
  ),
  ...timeFacets,
];

/** `tally stats`: how many events match filters, by one field or two. With `--json`, the answer of the service. */
export const registerStats: Register = (program, run) => {
  const command = addFilterOptions(
    program
      .command('stats')
      .summary('count events by actor, type, day and more')
      .description(
        'Counts the events that match every filter that is given, by a field or by two of them, the most frequent first. Hours and ' +
          "days are UTC. Records of the service's bookkeeping (audit.read, audit.accounts_changed) are left out without --reads, unless " +
          '--type names them.',
      )
      .addOption(
        collect(
          new Option('--by <field>', `what to count by: one of ${partNames.join(', ')}, or two with a comma`),
          part,
        ).default(undefined, 'type'),
      ),
  )
    .option('--q <search>', searchHelp)
    .option('-n, --limit <count>', `show this many values of a field, up to ${mostValues}`, valueLimit, 50)
    .option('--reads', "also count the service's bookkeeping (audit.read, audit.accounts_changed)")
    .option('--csv', 'write the counts as CSV, for a spreadsheet; takes one --by');
  addExamples(
    command,
    'tally stats --by type --from 7d',
    'tally stats --by actor,day --type auth.login.failed --from 30d',
    'tally stats --by actor,day --category auth --outcome failure --from 30d --csv',
    'tally stats --by outcome --by severity --actor agent:writer --json',
  );
  run<StatsOptions>(command, async (context, options) => {
    const { by = ['type'], q, limit, csv = false } = options;
    if (csv && (by.length > 1 || context.terminal.json))
      throw new CliError('USAGE', '--csv is one table: it takes one --by, and no --json');
    await using backend = await context.openBackend();
    const stats = await backend.client.stats.getAll({
      tenant_id: context.requireTenant(),
      filters: filtersOf(options, context.processContext.now()),
      ...(q !== undefined && { q }),
      by,
      limit,
      ...(options.reads === true && { include_reads: true }),
    });
    if (context.terminal.json) await context.terminal.jsonLine(stats);
    else if (csv) await printCsv(context, stats);
    else await print(context, stats);
    return undefined;
  });
};

function part(text: string): string {
  if (readGrouping(text) === undefined)
    throw new InvalidArgumentError(`It must be one of ${partNames.join(', ')}, or two of them with a comma.`);
  return text;
}

function valueLimit(text: string): number {
  const limit = wholeNumber(text);
  if (limit > mostValues) throw new InvalidArgumentError(`It must be at most ${mostValues}.`);
  return limit;
}

async function print({ terminal }: Context, stats: Stats): Promise<void> {
  const width = Number.isFinite(terminal.tableWidth) ? terminal.tableWidth : standardWidth;
  await terminal.line(terminal.style('bold', `${counted(stats.records, 'event')} of ${stats.tenant_id}`));
  for (const grouping of stats.groupings) {
    if (grouping.groups.length === 0) continue;
    await terminal.line();
    await terminal.write(renderTable(terminal, statsColumns(grouping, width), shownGroups(grouping)));
    noteLeftOut(terminal, grouping);
  }
  for (const note of notesOf(stats)) terminal.note(note);
}

async function printCsv({ terminal }: Context, stats: Stats): Promise<void> {
  for (const grouping of stats.groupings) {
    await terminal.bytes(csvOfCounts(grouping));
    noteLeftOut(terminal, grouping);
  }
  for (const note of notesOf(stats)) terminal.note(note);
}

function noteLeftOut(terminal: Context['terminal'], grouping: StatsGrouping): void {
  const { groups_left_out: groups, records_left_out: records } = grouping;
  if (groups === 0) return;
  terminal.note(
    `${counted(groups, 'group')} with ${counted(records, 'event')} not shown; --limit shows more`,
  );
}

/** What the numbers do not have, and why. */
function notesOf(stats: Stats): string[] {
  const { estimate, counted_to, complete, reads_left_out, sensitive_left_out } = stats;
  return [
    ...(estimate === true
      ? [
          'an estimate: the first and the last hour have too many events to count a part of them, and count as a whole',
        ]
      : []),
    ...(counted_to !== undefined && !complete
      ? [`the service counts in the background; events after #${counted_to} are not counted yet`]
      : []),
    ...(sensitive_left_out
      ? ['sensitive events are not counted: the key lacks the scope events:read-sensitive']
      : []),
    ...(reads_left_out
      ? [
          `records of the service's bookkeeping (${bookkeepingTypes.join(', ')}) are not counted; --reads counts them`,
        ]
      : []),
  ];
}
