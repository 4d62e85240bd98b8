import { bookkeepingTypes, type EventView, maxVerifiablePage } from '@tallystick/protocol';
import type { Command } from 'commander';
import type { Context } from '../../context.ts';
import { CliError, exitCodes } from '../../errors.ts';
import { eventColumnsAt } from '../../terminal/event-columns.ts';
import { renderTable } from '../../terminal/table.ts';
import { type FilterOptions, filtersOf } from '../options/filter-options.ts';
import { wholeNumber } from '../options/option-values.ts';
import { ListVerification } from './list-verification.ts';

/** Options of the commands that list events. */
export interface ListOptions extends FilterOptions {
  readonly limit: number;
  readonly all?: boolean;
  readonly oldest?: boolean;
  readonly reads?: boolean;
  readonly verify?: boolean;
}

export function addListOptions(command: Command): Command {
  return command
    .option('-n, --limit <count>', 'list at most this many events', wholeNumber, 50)
    .option('--all', 'list every event that matches')
    .option('--oldest', 'list the oldest first')
    .option('--reads', "also list the service's bookkeeping (audit.read, audit.accounts_changed)")
    .option('--verify', 'check the events on this machine, with a verifier key from --key or an earlier use');
}

/**
 * Prints the events that match the filters, and the search if there is one, page by page.
 *
 * @returns the exit code
 */
export async function listEvents(context: Context, options: ListOptions, q?: string): Promise<number> {
  if (context.logKeys.length > 0 && options.verify !== true)
    throw new CliError('USAGE', "--key has a log's verifier key, which is used only with --verify");
  await using backend = await context.openBackend();
  const tenant = context.requireTenant();
  const filters = filtersOf(options, context.processContext.now());
  const query = {
    tenant_id: tenant,
    filters,
    order: options.oldest === true ? ('asc' as const) : ('desc' as const),
    ...(q !== undefined && { q }),
    ...(options.reads === true && { include_reads: true }),
    ...(options.verify === true && { verify: true }),
  };
  const verification =
    options.verify === true ? new ListVerification(context, backend, { tenant, filters, q }) : undefined;
  const pageSize = verification === undefined ? 500 : maxVerifiablePage;
  let left = options.all === true ? Number.POSITIVE_INFINITY : options.limit;
  let shown = 0;
  let readsLeftOut = false;
  let indexedTo: number | undefined;
  let cursor: string | undefined;
  while (left > 0) {
    const page = await backend.client.events.list({ ...query, limit: Math.min(left, pageSize), cursor });
    await verification?.judge(page);
    await print(context, page.events);
    shown += page.events.length;
    readsLeftOut ||= page.reads_left_out === true;
    indexedTo ??= page.indexed_to;
    left -= page.events.length;
    cursor = page.next_cursor ?? undefined;
    if (cursor === undefined || context.terminal.outputEnded) break;
  }
  if (shown === 0) context.terminal.note('no events');
  else if (cursor !== undefined && !context.terminal.json) {
    context.terminal.note('there are more events: --limit or --all lists them');
  }
  if (!context.terminal.json) noteLimits(context, indexedTo, readsLeftOut);
  return (await verification?.finish()) ?? exitCodes.ok;
}

/** Says what the list does not show. */
function noteLimits(context: Context, indexedTo: number | undefined, readsLeftOut: boolean): void {
  if (indexedTo !== undefined) {
    context.terminal.note(
      `the index has the records up to ${indexedTo}; newer ones were read one by one. tally followers list shows how far it is`,
    );
  }
  if (readsLeftOut) {
    context.terminal.note(
      `records of the service's bookkeeping (${bookkeepingTypes.join(', ')}) are left out; --reads lists them`,
    );
  }
}

async function print({ terminal }: Context, events: readonly EventView[]): Promise<void> {
  if (terminal.json) {
    for (const event of events) await terminal.jsonLine(event);
  } else if (events.length > 0)
    await terminal.write(renderTable(terminal, eventColumnsAt(terminal.tableWidth), events));
}
