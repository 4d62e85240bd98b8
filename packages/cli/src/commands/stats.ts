import { facetFields, type IndexedField, readGrouping, timeFacets } from '@tallystick/event';
import { bookkeepingTypes, counted, type Stats } from '@tallystick/protocol';
import { InvalidArgumentError, Option } from 'commander';
import type { Context, Register } from '../context.ts';
import { renderTable } from '../terminal/table.ts';
import { addExamples } from './examples.ts';
import { addFilterOptions, type FilterOptions, filtersOf } from './filter-options.ts';
import { collect } from './lost-values.ts';
import { wholeNumber } from './option-values.ts';
import { shownGroups, statsColumns } from './stats-table.ts';

interface StatsOptions extends FilterOptions {
  readonly by?: readonly string[];
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
    .option('-n, --limit <count>', `show this many values of a field, up to ${mostValues}`, valueLimit, 50)
    .option('--reads', "also count the service's bookkeeping (audit.read, audit.accounts_changed)");
  addExamples(
    command,
    'tally stats --by type --from 7d',
    'tally stats --by actor,day --type auth.login.failed --from 30d',
    'tally stats --by outcome --by severity --actor agent:writer --json',
  );
  run<StatsOptions>(command, async (context, options) => {
    await using backend = await context.openBackend();
    const stats = await backend.client.stats.getAll({
      tenant_id: context.requireTenant(),
      filters: filtersOf(options, context.processContext.now()),
      by: options.by ?? ['type'],
      limit: options.limit,
      ...(options.reads === true && { include_reads: true }),
    });
    if (context.terminal.json) await context.terminal.jsonLine(stats);
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
    if (grouping.groups_left_out > 0) {
      terminal.note(
        `${counted(grouping.groups_left_out, 'group')} with ${counted(grouping.records_left_out, 'event')} not shown; --limit shows more`,
      );
    }
  }
  for (const note of notesOf(stats)) terminal.note(note);
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
