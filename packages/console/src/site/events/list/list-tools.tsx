import { usePlace } from '../../address/place.ts';
import { Icon } from '../../elements/signs/icon.tsx';
import { TimeRangeMenu } from '../filters/time-range-menu.tsx';
import { ViewsMenu } from '../views/views-menu.tsx';
import { ColumnMenu } from './column-menu.tsx';

/** What a reader does with the list: time range, live mode, counts, columns, check, export, saved views. */
export function ListTools({
  showsFacets,
  onCheck,
}: {
  readonly showsFacets: boolean;
  /** Absent where the reader may not read proofs. */
  readonly onCheck: (() => void) | undefined;
}) {
  const place = usePlace();
  const isLive = place.parameters.get('live') === '1';
  const exported = Object.fromEntries(
    [...new Set(place.parameters.keys())].map((name) => [name, place.parameters.getAll(name)]),
  );
  return (
    <div class="list-tools">
      <TimeRangeMenu />
      <button
        type="button"
        class="button"
        aria-pressed={isLive}
        onClick={() => place.change({ live: isLive ? undefined : '1' })}
      >
        <span class="live-dot" aria-hidden="true" />
        Live
      </button>
      <button
        type="button"
        class="button"
        aria-pressed={showsFacets}
        title="How many events have which value"
        onClick={() => place.change({ facets: showsFacets ? '0' : '1', event: undefined })}
      >
        <Icon name="filter" />
        <span class="tool-name">Counts</span>
      </button>
      <ColumnMenu />
      <ViewsMenu />
      {onCheck !== undefined && (
        <button
          type="button"
          class="button"
          title="Your browser checks the first 100 events of the list"
          onClick={onCheck}
        >
          <Icon name="shield-check" />
          <span class="tool-name">Verify</span>
        </button>
      )}
      <a
        class="button"
        title="Download these events"
        href={place.href('exports', { ...exported, event: undefined, live: undefined, facets: undefined })}
      >
        <Icon name="download" />
        <span class="tool-name">Export</span>
      </a>
    </div>
  );
}
