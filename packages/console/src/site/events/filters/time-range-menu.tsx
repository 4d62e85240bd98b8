import { usePlace } from '../../address/place.ts';
import { Icon } from '../../elements/signs/icon.tsx';
import { lastRanges, timeRangeOf } from '../../trail/event-query.ts';

/** Chooses which part of time the list shows. */
export function TimeRangeMenu() {
  const place = usePlace();
  const range = timeRangeOf(place.parameters);
  const isAll = !('last' in range) && range.from === undefined && range.to === undefined;
  const choose = (last: string | undefined) => {
    place.change({ last, from: undefined, to: undefined, event: undefined });
    closeMenu();
  };
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    const data = new FormData(event.currentTarget as HTMLFormElement);
    const at = (name: string) => {
      const text = String(data.get(name) ?? '');
      return text === '' ? undefined : new Date(text).toISOString();
    };
    place.change({ last: undefined, from: at('from'), to: at('to'), event: undefined });
    closeMenu();
  };
  return (
    <>
      <button type="button" class="button time-button" popoverTarget="time-menu">
        <Icon name="clock" />
        {labelOf(range)}
      </button>
      <div id="time-menu" popover="auto" class="menu">
        <ul class="choices">
          <li>
            <button
              type="button"
              class="button plain"
              aria-current={isAll ? 'true' : undefined}
              onClick={() => choose(undefined)}
            >
              All time
            </button>
          </li>
          {Object.entries(lastRanges).map(([name, { label }]) => (
            <li key={name}>
              <button
                type="button"
                class="button plain"
                aria-current={'last' in range && range.last === name ? 'true' : undefined}
                onClick={() => choose(name)}
              >
                {label}
              </button>
            </li>
          ))}
        </ul>
        <form class="time-form" onSubmit={submit}>
          <label class="field">
            From, in your time zone
            <input
              class="input"
              type="datetime-local"
              name="from"
              value={'from' in range ? localText(range.from) : ''}
            />
          </label>
          <label class="field">
            Until
            <input
              class="input"
              type="datetime-local"
              name="to"
              value={'to' in range ? localText(range.to) : ''}
            />
          </label>
          <button type="submit" class="button main">
            Show this range
          </button>
        </form>
      </div>
    </>
  );
}

function closeMenu(): void {
  document.querySelector<HTMLElement>('#time-menu')?.hidePopover();
}

const format = new Intl.DateTimeFormat(undefined, {
  day: '2-digit',
  month: 'short',
  hour: '2-digit',
  minute: '2-digit',
  hourCycle: 'h23',
});

function labelOf(range: ReturnType<typeof timeRangeOf>): string {
  if ('last' in range) return lastRanges[range.last]!.label;
  const { from, to } = range;
  if (from === undefined && to === undefined) return 'All time';
  const text = (time: string | undefined) => (time === undefined ? '' : format.format(new Date(time)));
  if (from === undefined) return `until ${text(to)}`;
  return to === undefined ? `since ${text(from)}` : `${text(from)} – ${text(to)}`;
}

/** A time for a field of the reader's zone. */
function localText(time: string | undefined): string {
  if (time === undefined) return '';
  const date = new Date(time);
  return new Date(date.getTime() - date.getTimezoneOffset() * 60_000).toISOString().slice(0, 16);
}
