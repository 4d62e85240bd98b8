import { parseTimestamp, spanStart, spanText } from '@tallystick/event';

/** A range of time, divided into whole hours, which the hourly counts answer, and what is left at its two ends. */
export interface HoursOfRange {
  /** First hour, and the hour after the last one, as times of PostgreSQL. */
  readonly from: string;
  readonly to: string;
  /** Parts of hours. The second time of each is not included. */
  readonly edges: readonly (readonly [first: string, end: string])[];
}

const hourMs = 3_600_000;
const lastHour = Date.UTC(9999, 11, 31, 23);

/**
 * @param from first time of the range, RFC 3339; it has no beginning where absent
 * @param to first time after the range; it has no end where absent
 */
export function hoursOf(from: string | undefined, to: string | undefined): HoursOfRange {
  const first = from === undefined ? '-infinity' : isHour(from) ? from : hourAt(from, 1);
  const end = to === undefined ? 'infinity' : hourAt(to, 0);
  if (from !== undefined && to !== undefined && isEarlier(end, first))
    return { from: first, to: first, edges: [[from, to]] };
  return {
    from: first,
    to: end,
    edges: [
      ...(from === undefined || isHour(from) ? [] : [[from, first] as const]),
      ...(to === undefined || isHour(to) ? [] : [[end, to] as const]),
    ],
  };
}

/** The range with its first and its last hour as a whole. */
export function wholeHoursOf(from: string | undefined, to: string | undefined): HoursOfRange {
  return {
    from: from === undefined ? '-infinity' : hourAt(from, 0),
    to: to === undefined ? 'infinity' : isHour(to) ? to : hourAt(to, 1),
    edges: [],
  };
}

function isHour(time: string): boolean {
  return /:00:00(?:\.0+)?Z$/.test(time);
}

/** Whether one full hour is before another one, which may be `infinity`. */
function isEarlier(hour: string, than: string): boolean {
  return than === 'infinity' || parseTimestamp(hour) < parseTimestamp(than);
}

/** The full hour in which a time lies, or one so many hours later. The hour after the year 9999 is `infinity`: it can't be written. */
function hourAt(time: string, later: number): string {
  const ms = spanStart(parseTimestamp(time), 'hour') + later * hourMs;
  return ms > lastHour ? 'infinity' : spanText(ms);
}
