import type { StatsGrouping } from '@tallystick/protocol';
import { usePlace } from '../address/place.ts';
import type { Tone } from '../elements/signs/badge.tsx';
import { hourBars, tones } from './hour-bars.ts';

const words: { readonly [tone in Tone]: string } = {
  good: 'succeeded',
  quiet: 'no outcome, or pending',
  warn: 'partial, timed out or rolled back',
  bad: 'failed, denied or blocked',
};
const format = new Intl.DateTimeFormat(undefined, {
  weekday: 'short',
  hour: '2-digit',
  minute: '2-digit',
  hourCycle: 'h23',
});

/**
 * Events per hour, by outcome. Each bar leads to the events of its hour. These are links with a height and not a drawing of a chart library:
 * a canvas has neither links nor text for screen readers, and does not follow the theme.
 */
export function HourChart({
  grouping,
  from,
  until,
}: {
  readonly grouping: StatsGrouping;
  readonly from: number;
  readonly until: number;
}) {
  const place = usePlace();
  const bars = hourBars(grouping, from, until);
  const highest = Math.max(1, ...bars.map(({ total }) => total));
  const present = tones.filter((tone) => bars.some(({ counts }) => counts[tone] > 0));
  const rangeOf = (time: number) => ({
    from: new Date(time).toISOString(),
    to: new Date(time + 3_600_000).toISOString(),
  });
  return (
    <div class="hours">
      <p class="faint number">{highest.toLocaleString()}</p>
      <ol class="hour-bars">
        {bars.map(({ time, counts, total }) => (
          <li key={time}>
            {total > 0 && (
              <a
                href={place.href('events', rangeOf(time))}
                title={`${format.format(time)}: ${total.toLocaleString()} events`}
                style={{ height: `${(100 * total) / highest}%` }}
              >
                <span class="only-for-screen-readers">
                  {format.format(time)}: {total.toLocaleString()} events
                </span>
                {tones.map(
                  (tone) =>
                    counts[tone] > 0 && (
                      <span key={tone} class={`part ${tone}`} style={{ flexGrow: `${counts[tone]}` }} />
                    ),
                )}
              </a>
            )}
          </li>
        ))}
      </ol>
      <p class="hour-ends faint">
        <span>{format.format(bars[0]!.time)}</span>
        <span>{format.format(bars.at(-1)!.time)}</span>
      </p>
      <ul class="legend">
        {present.map((tone) => (
          <li key={tone}>
            <span class={`part ${tone}`} aria-hidden="true" /> {words[tone]}
          </li>
        ))}
      </ul>
    </div>
  );
}
