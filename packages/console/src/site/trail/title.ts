import { type EventView, textIn } from '@tallystick/protocol';

/** A title is one line of a list. */
const longest = 200;

/**
 * What events are about: the first `title` of a context, or the first member that ends with `_title`, such as `alert_title`. An id says
 * nothing to a reader. The text comes from the audited party.
 *
 * @param events the oldest first
 */
export function titleOf(events: readonly EventView[]): string | undefined {
  for (const event of events) {
    const { context } = event;
    if (typeof context !== 'object' || context === null) continue;
    const names = Object.keys(context).filter((name) => name === 'title' || name.endsWith('_title'));
    for (const name of names) {
      const title = textIn(event, 'context', name)?.trim();
      if (title !== undefined && title !== '') return title.slice(0, longest);
    }
  }
  return undefined;
}
