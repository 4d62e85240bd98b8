import type { Register } from '../context.ts';
import { printable, truncate } from '../terminal/printable.ts';
import { eventLine, styleOf } from './event-columns.ts';
import { addExamples } from './examples.ts';
import { addFilterOptions, type FilterOptions, filtersOf } from './filter-options.ts';
import { wholeNumber } from './option-values.ts';

/** `tally tail`: events as they are chained. Ctrl-C ends it with exit code 0. */
export const registerTail: Register = (program, run) => {
  const command = addFilterOptions(
    program
      .command('tail')
      .summary('follow new events as they arrive')
      .description(
        "Follows a tenant's events and prints each when it is chained, until you press Ctrl-C. After a broken connection it " +
          'continues where it stopped.',
      ),
  ).option('-n, --count <count>', 'end after this many events', wholeNumber);
  addExamples(command, 'tally tail --tenant acme', 'tally tail --tenant acme --severity critical --json');
  run<FilterOptions & { readonly count?: number }>(command, async (context, options) => {
    const { terminal, processContext } = context;
    await using backend = await context.openBackend();
    const query = { tenant_id: context.requireTenant(), filters: filtersOf(options) };
    const { count = Number.POSITIVE_INFINITY } = options;
    terminal.note(`following ${query.tenant_id}; press Ctrl-C to end`);
    let seen = 0;
    for await (const { event } of backend.client.events.follow(query, { signal: processContext.stopped })) {
      if (terminal.json) await terminal.jsonLine(event);
      else {
        const line = truncate(printable(eventLine(event)), terminal.width);
        const style = styleOf(event);
        await terminal.line(style === undefined ? line : terminal.style(style, line));
      }
      if (++seen >= count || terminal.outputEnded) break;
    }
    return undefined;
  });
};
