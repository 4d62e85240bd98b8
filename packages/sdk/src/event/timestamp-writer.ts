import { parseTimestamp } from '@tallystick/event';

/**
 * Writes times as RFC 3339 text in UTC with milliseconds. It reuses the text of the last second and writes only the
 * milliseconds; `toISOString` takes five times as long.
 */
export class TimestampWriter {
  #second = Number.NaN;
  #prefix = '';

  /** @param ms milliseconds since the epoch */
  write(ms: number): string {
    const second = Math.floor(ms / 1000);
    if (second !== this.#second) {
      this.#prefix = new Date(second * 1000).toISOString().slice(0, 20);
      this.#second = second;
    }
    const rest = Math.trunc(ms - second * 1000);
    return `${this.#prefix}${rest < 10 ? '00' : rest < 100 ? '0' : ''}${rest}Z`;
  }
}

/**
 * A date, number or text as RFC 3339 text in UTC. A value that is not a valid time is returned unchanged, so that the check
 * of the event refuses it.
 */
export function timestampText(value: unknown): unknown {
  if (typeof value === 'string' && !Number.isNaN(parseTimestamp(value))) return value;
  if (typeof value !== 'string' && typeof value !== 'number' && !(value instanceof Date)) return value;
  const date = new Date(value);
  return Number.isNaN(date.getTime()) ? value : date.toISOString();
}
