import { timeText, useSettings } from './settings.ts';

/** A time in the reader's zone. Pointing at it shows UTC. A text that is not a time is shown unchanged. */
export function Time({ value }: { readonly value: unknown }) {
  const { language } = useSettings();
  const time = Date.parse(String(value));
  const text = timeText(value, language);
  if (Number.isNaN(time)) return <>{text}</>;
  const utc = new Date(time).toISOString();
  return (
    <time dateTime={utc} title={`${utc} (UTC)`}>
      {text}
    </time>
  );
}
