/** Times in the reader's zone, with UTC at hand. */

/** A time. Pointing at it shows UTC. What is no time is shown as it stands. */
export function Time({ value, precise = false }: { readonly value: unknown; readonly precise?: boolean }) {
  const parsed = typeof value === 'string' ? Date.parse(value) : Number.NaN;
  if (Number.isNaN(parsed)) return <span class="faint">{value === undefined ? '—' : String(value)}</span>;
  const date = new Date(parsed);
  return (
    <time class="number" dateTime={date.toISOString()} title={`${date.toISOString()} (UTC)`}>
      {precise ? formats.precise.format(date) : shortOf(date)}
    </time>
  );
}

/** A time with its UTC beside it, for readers who can't point at it, as on a phone. */
export function TimeWithUtc({ value }: { readonly value: unknown }) {
  const parsed = typeof value === 'string' ? Date.parse(value) : Number.NaN;
  return (
    <>
      <Time value={value} precise />
      {!Number.isNaN(parsed) && (
        <>
          {' '}
          <span class="faint number utc">{formats.utc.format(parsed)}</span>
        </>
      )}
    </>
  );
}

const preciseParts = {
  year: 'numeric',
  month: 'short',
  day: '2-digit',
  hour: '2-digit',
  minute: '2-digit',
  second: '2-digit',
  fractionalSecondDigits: 3,
  hourCycle: 'h23',
  timeZoneName: 'short',
} as const;

const formats = {
  today: new Intl.DateTimeFormat(undefined, {
    hour: '2-digit',
    minute: '2-digit',
    second: '2-digit',
    hourCycle: 'h23',
  }),
  short: new Intl.DateTimeFormat(undefined, {
    day: '2-digit',
    month: 'short',
    hour: '2-digit',
    minute: '2-digit',
    second: '2-digit',
    hourCycle: 'h23',
  }),
  precise: new Intl.DateTimeFormat(undefined, preciseParts),
  utc: new Intl.DateTimeFormat(undefined, { ...preciseParts, timeZone: 'UTC' }),
};

function shortOf(date: Date): string {
  return date.toDateString() === new Date().toDateString()
    ? formats.today.format(date)
    : formats.short.format(date);
}

/** How long ago a time was, or how long until it comes: `3 minutes ago`. */
export function Ago({ value, now = Date.now() }: { readonly value: string; readonly now?: number }) {
  return (
    <time dateTime={value} title={`${value} (UTC)`}>
      {agoText(Date.parse(value) - now)}
    </time>
  );
}

const relative = new Intl.RelativeTimeFormat('en');
/** Each with its length, ms, and the number of it from which the next unit is used. */
const units = [
  ['second', 1_000, 60],
  ['minute', 60_000, 60],
  ['hour', 3_600_000, 24],
  ['day', 86_400_000, Number.POSITIVE_INFINITY],
] as const;

/** A difference of times in words. Positive: in the future. What rounds to 60 seconds is a minute. */
export function agoText(differenceMs: number): string {
  const [unit, ms] = units.find(([, length, end]) => Math.abs(Math.round(differenceMs / length)) < end)!;
  const count = Math.round(differenceMs / ms);
  return count === 0 ? 'just now' : relative.format(count, unit);
}
