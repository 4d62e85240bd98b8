import type { Register } from '../../context.ts';
import { addExamples } from '../options/examples.ts';
import { addFilterOptions, type FilterOptions, filtersOf, searchHelp } from '../options/filter-options.ts';
import { pointInTime, wholeNumber } from '../options/option-values.ts';
import { followEvents } from './follow-events.ts';

interface TailOptions extends FilterOptions {
  readonly count?: number;
  readonly since?: string;
  readonly q?: string;
  readonly reads?: boolean;
}

/** `tally tail`: events as they are chained. Ctrl-C ends it with exit code 0. */
export const registerTail: Register = (program, run) => {
  const command = addFilterOptions(
    program
      .command('tail')
      .summary('follow new events as they arrive')
      .description(
        "Follows a tenant's events and prints each when it is chained, until you press Ctrl-C. After a broken connection it " +
          "continues where it stopped. Records of the service's bookkeeping (audit.read, audit.accounts_changed) are left out without --reads.",
      ),
  )
    .option('--q <search>', searchHelp)
    .option('-n, --count <count>', 'end after this many events', wholeNumber)
    .option(
      '--since <time>',
      'begin with the events that were chained since: RFC 3339 or an age such as 1h, 5m',
    )
    .option('--reads', "also print the service's bookkeeping (audit.read, audit.accounts_changed)");
  addExamples(
    command,
    'tally tail --tenant acme',
    'tally tail --tenant acme --since 10m',
    'tally tail --tenant acme --severity critical --json',
  );
  run<TailOptions>(command, async (context, options) => {
    await using backend = await context.openBackend();
    const now = context.processContext.now();
    const { count, since, q, reads } = options;
    const query = {
      tenant_id: context.requireTenant(),
      filters: filtersOf(options, now),
      ...(since !== undefined && { since: pointInTime(since, now) }),
      ...(q !== undefined && { q }),
      ...(reads === true && { include_reads: true }),
    };
    await followEvents(context, backend.client, query, { what: query.tenant_id, count });
    return undefined;
  });
};
