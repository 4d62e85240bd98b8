import { RejectedMessage } from '../../platform/topics.ts';

/** The forms of time in the four sources: RFC 3339, and ISO 8601 with an offset without a colon. */
const form = /^(\d{4}-\d{2}-\d{2})[T ](\d{2}:\d{2}:\d{2})(?:\.(\d{1,9}))?(Z|[+-]\d{2}:?\d{2})$/;

/**
 * The same instant as RFC 3339 text in UTC with milliseconds.
 *
 * @throws {RejectedMessage} `ALERT_TIME_INVALID`
 */
export function toUtc(text: string): string {
  const match = form.exec(text);
  const [, date, time, fraction = '0', offset] = match ?? [];
  const zone = offset === 'Z' || offset === undefined ? 'Z' : `${offset.slice(0, 3)}:${offset.slice(-2)}`;
  const ms =
    match === null ? Number.NaN : Date.parse(`${date}T${time}.${fraction.padEnd(3, '0').slice(0, 3)}${zone}`);
  // Date.parse takes 31 February as 3 March.
  const day = Number.isNaN(ms) ? '' : new Date(Date.parse(`${date}T00:00:00Z`)).toISOString().slice(0, 10);
  const utc = Number.isNaN(ms) ? '' : new Date(ms).toISOString();
  // Years of other than four digits have another form, and there is no year 0000.
  if (day !== date || !/^(?!0000)\d{4}-/.test(utc)) {
    throw new RejectedMessage(
      'ALERT_TIME_INVALID',
      'the time of the alert is not an RFC 3339 time with an offset',
    );
  }
  return utc;
}
