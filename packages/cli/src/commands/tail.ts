import type { Register } from '../context.ts';
import { printable, truncate } from '../terminal/printable.ts';
import { eventLine, styleOf } from './event-columns.ts';
import { addFilterOptions, type FilterOptions, filtersOf } from './filter-options.ts';
import { wholeNumber } from './whole-number.ts';

/** `tally tail`: what is being chained, as it is. Ends with Ctrl-C, which is no failure. */
export const registerTail: Register = (program, run) => {
  const command = addFilterOptions(program.command('tail').description('follow what happens')).option(
    '-n, --count <count>',
    'end after so many events',
    wholeNumber,
  );
  run<FilterOptions & { readonly count?: number }>(command, async (context, options) => {
    const { terminal, surroundings } = context;
    await using backend = await context.openBackend();
    const query = { tenant: context.requireTenant(), filters: filtersOf(options) };
    const { count = Number.POSITIVE_INFINITY } = options;
    terminal.note(`following ${query.tenant}; Ctrl-C ends it`);
    let seen = 0;
    for await (const event of backend.follow(query, surroundings.stopped)) {
      if (terminal.json) await terminal.jsonLine(event);
      else {
        const line = truncate(printable(eventLine(event)), terminal.width);
        const style = styleOf(event);
        await terminal.line(style === undefined ? line : terminal.style(style, line));
      }
      if (++seen >= count) break;
    }
    return undefined;
  });
};
