const first = Date.parse('0001-01-01T00:00:00Z');
const last = Date.parse('9999-12-31T23:59:59.999Z');

/**
 * A time of the store as RFC 3339 with milliseconds. A login of the database can write times that this form does not have, such as `infinity`:
 * they become the first or the last time of it, so that a list with such a row still has its other rows.
 */
export function timeText(time: Date | number): string {
  const ms = Number(time);
  return new Date(Number.isNaN(ms) ? last : Math.min(Math.max(ms, first), last)).toISOString();
}
