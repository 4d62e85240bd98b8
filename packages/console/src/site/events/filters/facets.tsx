import type { EventQuery } from '@tallystick/client';
import { useState } from 'preact/hooks';
import { usePlace } from '../../address/place.ts';
import { useShortcuts } from '../../elements/browser/keyboard.ts';
import { useMediaQuery } from '../../elements/browser/media-query.ts';
import { Failure } from '../../elements/notices/failure.tsx';
import { LoadingRows } from '../../elements/notices/loading-rows.tsx';
import { useResource } from '../../elements/requests/resource.ts';
import { Icon } from '../../elements/signs/icon.tsx';
import { useConsole } from '../../session/console-context.ts';
import { conditionsOf, parameterOf } from '../../trail/event-query.ts';
import { countFacets, countText, type Facet, facetFields } from './facet-counts.ts';

/** Values of a facet that are shown at first. */
const shownAtFirst = 7;

/** Counts of the list's events by their fields. A value filters the list. `listKey` names what decides the counts. */
export function Facets({ query, listKey }: { readonly query: EventQuery; readonly listKey: string }) {
  const { client } = useConsole();
  const place = usePlace();
  // Where there is no room beside the list, the counts lie over it.
  const isOverlay = useMediaQuery('(width < 80rem)');
  const hidden = place.hrefWith({ facets: '0' });
  useShortcuts({ Escape: isOverlay ? () => place.go(hidden) : undefined });
  const { value, error, reload } = useResource(
    (signal) => countFacets(client, query, signal),
    [client, listKey],
  );
  return (
    <aside class="facets" aria-label="Counts">
      <div class="facets-bar">
        <strong role="status">
          {value === undefined
            ? 'Counting …'
            : `${countText(value.records, value.exactness)} ${value.records === 1 ? 'event' : 'events'}`}
        </strong>
        <button
          type="button"
          class="button square plain"
          title="Count again"
          aria-label="Count again"
          onClick={reload}
        >
          <Icon name="refresh" />
        </button>
        <a class="button square plain" href={hidden} aria-label="Hide the counts" title="Hide the counts">
          <Icon name="close" />
        </a>
      </div>
      {value !== undefined && (
        <p class="faint facets-note">
          {noteOf(value.exactness)}
          {value.withoutSensitive && ' Sensitive events are not counted.'}
        </p>
      )}
      {error !== undefined && <Failure error={error} retry={reload} />}
      {value === undefined && error === undefined && <LoadingRows label="Counting events" rows={8} />}
      {value?.facets.map((facet) => (
        <FacetValues key={facet.field} facet={facet} />
      ))}
    </aside>
  );
}

function noteOf(exactness: Facet['exactness']): string {
  if (exactness === 'exact') return 'Exact counts.';
  if (exactness === 'about') return 'About: the first and last hour are counted as a whole.';
  return 'At least: the count ended at the budget of a request. A narrower time range is exact.';
}

function FacetValues({ facet: { field, values, leftOut, exactness } }: { readonly facet: Facet }) {
  const place = usePlace();
  const [isLong, setLong] = useState(false);
  const condition = conditionsOf(place.parameters).find((each) => each.field === field && !each.negated);
  const chosen = condition?.values ?? [];
  const title = facetFields.find((each) => each.field === field)!.title;
  // A chosen value stays in sight, also where it has few events.
  const shown = values.filter(({ value }, at) => isLong || at < shownAtFirst || chosen.includes(value));
  const hidden = values.length - shown.length;
  const most = values[0]?.records ?? 1;
  const hrefOf = (value: string) => {
    const next = chosen.includes(value) ? chosen.filter((each) => each !== value) : [...chosen, value];
    return place.hrefWith({ [parameterOf({ field, negated: false })]: next, event: undefined });
  };
  return (
    <section class="facet">
      <h3>{title}</h3>
      {values.length === 0 && <p class="faint">No value</p>}
      <ul>
        {shown.map(({ value, records }) => (
          <li key={value}>
            <a href={hrefOf(value)} aria-current={chosen.includes(value) ? 'true' : undefined} title={value}>
              <span class="facet-value">{value}</span>
              <span class="number">{countText(records, exactness, { short: true })}</span>
              <span class="facet-bar" style={{ width: `${(100 * records) / most}%` }} />
            </a>
            <a
              class="facet-not"
              href={place.hrefWith({
                [parameterOf({ field, negated: true })]: [
                  ...place.parameters.getAll(parameterOf({ field, negated: true })),
                  value,
                ],
                event: undefined,
              })}
              aria-label={`Leave out ${value}`}
              title={`Leave out ${value}`}
            >
              <Icon name="minus" />
            </a>
          </li>
        ))}
      </ul>
      {hidden > 0 && (
        <button type="button" class="button plain facet-more" onClick={() => setLong(true)}>
          {hidden} more
        </button>
      )}
      {isLong && leftOut > 0 && (
        <p class="faint">{leftOut.toLocaleString()} further values have fewer events.</p>
      )}
    </section>
  );
}
