import type { Client, FollowQuery } from '@tallystick/client';
import type { EventView } from '@tallystick/protocol';
import type { Context } from '../../context.ts';
import { eventLine, styleOf, tailHeading } from '../../terminal/event-columns.ts';
import { truncate } from '../../terminal/printable.ts';

/** Which of the followed events are printed, and how many. */
export interface FollowOptions {
  /** What is followed, for people: "approvals of acme". */
  readonly what: string;
  /** End after this many events. @defaultValue with Ctrl-C, or when the reader of the output ends */
  readonly count?: number | undefined;
  /** Whether an event is printed. @defaultValue each is */
  readonly isShown?: (event: EventView) => boolean;
}

/** Prints events when they are chained, one in each line. */
export async function followEvents(
  { terminal, processContext }: Context,
  client: Client,
  query: FollowQuery,
  { what, count = Number.POSITIVE_INFINITY, isShown = () => true }: FollowOptions,
): Promise<void> {
  const width = terminal.tableWidth;
  terminal.note(`following ${what}; press Ctrl-C to end`);
  if (!terminal.json) await terminal.line(terminal.style('bold', truncate(tailHeading(width), width)));
  let shown = 0;
  for await (const { event } of client.events.follow(query, { signal: processContext.stopped })) {
    if (!isShown(event)) continue;
    if (terminal.json) await terminal.jsonLine(event);
    else {
      const line = truncate(eventLine(event, width), width);
      const style = styleOf(event);
      await terminal.line(style === undefined ? line : terminal.style(style, line));
    }
    if (++shown >= count || terminal.outputEnded) return;
  }
}
