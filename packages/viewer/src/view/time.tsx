import { timeText, useSettings } from './settings.ts';

/** A time in the reader's zone; `short` leaves out the year of today. Pointing at it shows UTC. A text that is not a time is shown unchanged. */
export function Time({ value, short = false }: { readonly value: unknown; readonly short?: boolean }) {
  const { language } = useSettings();
  const time = Date.parse(String(value));
  const text = timeText(value, language, short && isOfThisYear(time));
  if (Number.isNaN(time)) return <>{text}</>;
  const utc = new Date(time).toISOString();
  return (
    <time dateTime={utc} title={`${utc} (UTC)`}>
      {text}
    </time>
  );
}

function isOfThisYear(time: number): boolean {
  return new Date(time).getFullYear() === new Date().getFullYear();
}
