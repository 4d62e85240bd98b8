import { bookkeepingTypes, counted, type EventView, type TopEvent } from '@tallystick/protocol';
import type { Context } from '../../context.ts';
import { CliError } from '../../errors.ts';
import { eventColumnsAt } from '../../terminal/event-columns.ts';
import { printable } from '../../terminal/printable.ts';
import { type Column, renderTable } from '../../terminal/table.ts';
import { filtersOf } from '../options/filter-options.ts';
import type { ListOptions } from './list-events.ts';

/** Most events that `--top` lists. */
export const mostTopEvents = 50;

/** Prints the events that match with the greatest values of a field. With `--json`, one line per event with its value. */
export async function listTopEvents(
  context: Context,
  by: string,
  options: ListOptions & { readonly q?: string },
): Promise<void> {
  const { limit, all, oldest, q, reads } = options;
  if (all === true || oldest === true)
    throw new CliError('USAGE', '--top lists by value: it takes neither --all nor --oldest');
  if (limit > mostTopEvents) throw new CliError('USAGE', `--top lists ${mostTopEvents} events at most`);
  await using backend = await context.openBackend();
  const { terminal } = context;
  const top = await backend.client.events.topAll({
    tenant_id: context.requireTenant(),
    filters: filtersOf(options, context.processContext.now()),
    by,
    limit,
    ...(q !== undefined && { q }),
    ...(reads === true && { include_reads: true }),
  });
  if (terminal.json) {
    for (const entry of top.events) await terminal.jsonLine(entry);
    return;
  }
  if (top.events.length === 0) terminal.note(`no event has ${by}`);
  else await terminal.write(renderTable(terminal, columnsOf(by, terminal.tableWidth), top.events));
  if (top.records > top.events.length)
    terminal.note(`the first ${top.events.length} of ${counted(top.records, 'event')} that have ${by}`);
  if (top.sensitive_left_out)
    terminal.note('sensitive events are left out: the key lacks the scope events:read-sensitive');
  if (top.reads_left_out)
    terminal.note(
      `records of the service's bookkeeping (${bookkeepingTypes.join(', ')}) are left out; --reads ranks them`,
    );
}

/** The value, and the columns of a list. They have the time already. */
function columnsOf(by: string, width: number): readonly Column<TopEvent>[] {
  const ofList = eventColumnsAt(width).map(columnOfEntry);
  return by === 'timestamp' ? ofList : [valueColumn(by), ...ofList];
}

function columnOfEntry({ value, style, ...column }: Column<EventView>): Column<TopEvent> {
  return {
    ...column,
    value: ({ event }) => value(event),
    ...(style !== undefined && { style: ({ event }: TopEvent) => style(event) }),
  };
}

function valueColumn(by: string): Column<TopEvent> {
  const title = printable(by.slice(by.lastIndexOf('.') + 1)).toUpperCase();
  return { title, value: ({ value }) => value, align: 'right' };
}
