const pattern = /^\{"end":\{"events":(0|[1-9]\d{0,15})\}\}\n$/;

/**
 * The last line of an export for a program that asks for it, in every format. A transfer that breaks can look like one that ended, for example
 * behind a proxy that speaks HTTP/1.0: only this line shows that nothing is missing at the end. No format writes such a line for an event.
 *
 * @param events the number of events in this answer
 */
export function exportEndLine(events: number): string {
  return `${JSON.stringify({ end: { events } })}\n`;
}

/** The number of events that the last line of an export states; `undefined` for any other line. */
export function parseExportEnd(line: string): number | undefined {
  const [, events] = pattern.exec(line) ?? [];
  return events === undefined ? undefined : Number(events);
}
