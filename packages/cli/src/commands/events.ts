import type { EventView } from '../backend/backend.ts';
import type { Context, Register } from '../context.ts';
import { renderTable } from '../terminal/table.ts';
import { eventColumns } from './event-columns.ts';
import { addFilterOptions, type FilterOptions, filtersOf } from './filter-options.ts';
import { wholeNumber } from './whole-number.ts';

interface EventsOptions extends FilterOptions {
  readonly limit: number;
  readonly all?: boolean;
  readonly oldest?: boolean;
}

const pageSize = 500;

/** `tally events`: what happened, newest first. With `--json`, a flat record a line. */
export const registerEvents: Register = (program, run) => {
  const command = addFilterOptions(program.command('events').description('list what happened, newest first'))
    .option('-n, --limit <count>', 'at most so many', wholeNumber, 50)
    .option('--all', 'however many there are')
    .option('--oldest', 'oldest first');
  run<EventsOptions>(command, async (context, options) => {
    await using backend = await context.openBackend();
    const query = {
      tenant: context.requireTenant(),
      filters: filtersOf(options),
      order: options.oldest === true ? ('asc' as const) : ('desc' as const),
    };
    let left = options.all === true ? Number.POSITIVE_INFINITY : options.limit;
    let shown = 0;
    let cursor: string | undefined;
    while (left > 0) {
      const page = await backend.listEvents({
        ...query,
        limit: Math.min(left, pageSize),
        ...(cursor !== undefined && { cursor }),
      });
      await print(context, page.events);
      shown += page.events.length;
      left -= page.events.length;
      cursor = page.next_cursor ?? undefined;
      if (cursor === undefined) break;
    }
    if (shown === 0) context.terminal.note('no events');
    else if (cursor !== undefined && !context.terminal.json) {
      context.terminal.note(`more than these ${shown}: --limit, or --all`);
    }
    return undefined;
  });
};

async function print({ terminal }: Context, events: readonly EventView[]): Promise<void> {
  if (terminal.json) {
    await terminal.write(events.map((event) => `${JSON.stringify(event)}\n`).join(''));
  } else if (events.length > 0) await terminal.write(renderTable(terminal, eventColumns, events));
}
