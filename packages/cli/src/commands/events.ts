import { bookkeepingTypes, type EventView } from '@tallystick/protocol';
import type { Context, Register } from '../context.ts';
import { renderTable } from '../terminal/table.ts';
import { eventColumnsAt } from './event-columns.ts';
import { addExamples } from './examples.ts';
import { addFilterOptions, type FilterOptions, filtersOf } from './filter-options.ts';
import { wholeNumber } from './option-values.ts';

interface EventsOptions extends FilterOptions {
  readonly limit: number;
  readonly all?: boolean;
  readonly oldest?: boolean;
  readonly reads?: boolean;
}

const pageSize = 500;

/** `tally events`: events that match filters. With `--json`, one flat record per line. */
export const registerEvents: Register = (program, run) => {
  const command = addFilterOptions(
    program
      .command('events')
      .summary('list events, newest first')
      .description(
        "Lists a tenant's events, newest first. An event must match every filter that is given. Records of the service's bookkeeping " +
          '(audit.read, audit.accounts_changed) are left out without --reads, unless --type names them.',
      ),
  )
    .option('-n, --limit <count>', 'list at most this many events', wholeNumber, 50)
    .option('--all', 'list every event that matches')
    .option('--oldest', 'list the oldest first')
    .option('--reads', "also list the service's bookkeeping (audit.read, audit.accounts_changed)");
  addExamples(
    command,
    'tally events --tenant acme',
    "tally events --tenant acme --actor jane --type 'content.*' --from 2026-03-01T00:00:00Z --all --json",
    'tally events --tenant acme --actor user:maria --actor agent:bot --source-ip 10.0.0.0/8 --from 7d',
    "tally events --tenant acme --metadata platform=web --not outcome=success --not 'type=auth.*'",
  );
  run<EventsOptions>(command, async (context, options) => {
    await using backend = await context.openBackend();
    const query = {
      tenant_id: context.requireTenant(),
      filters: filtersOf(options, context.processContext.now()),
      order: options.oldest === true ? ('asc' as const) : ('desc' as const),
      ...(options.reads === true && { include_reads: true }),
    };
    let left = options.all === true ? Number.POSITIVE_INFINITY : options.limit;
    let shown = 0;
    let readsLeftOut = false;
    let cursor: string | undefined;
    while (left > 0) {
      const page = await backend.client.events.list({ ...query, limit: Math.min(left, pageSize), cursor });
      await print(context, page.events);
      shown += page.events.length;
      readsLeftOut ||= page.reads_left_out === true;
      left -= page.events.length;
      cursor = page.next_cursor ?? undefined;
      if (cursor === undefined || context.terminal.outputEnded) break;
    }
    if (shown === 0) context.terminal.note('no events');
    else if (cursor !== undefined && !context.terminal.json) {
      context.terminal.note(`there are more than these ${shown}; use --limit or --all`);
    }
    if (readsLeftOut && !context.terminal.json) {
      context.terminal.note(
        `records of the service's bookkeeping (${bookkeepingTypes.join(', ')}) are left out; --reads lists them`,
      );
    }
    return undefined;
  });
};

async function print({ terminal }: Context, events: readonly EventView[]): Promise<void> {
  if (terminal.json) {
    for (const event of events) await terminal.jsonLine(event);
  } else if (events.length > 0)
    await terminal.write(renderTable(terminal, eventColumnsAt(terminal.tableWidth), events));
}
