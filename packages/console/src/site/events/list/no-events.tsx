import { usePlace } from '../../address/place.ts';
import { Empty } from '../../elements/notices/empty.tsx';
import { conditionsOf, parameterOf, searchOf, timeRangeOf } from '../../trail/event-query.ts';

/** Why the list is empty, and the way to events. */
export function NoEvents() {
  const place = usePlace();
  const conditions = conditionsOf(place.parameters);
  const search = searchOf(place.parameters);
  const range = timeRangeOf(place.parameters);
  const hasRange = 'last' in range || range.from !== undefined || range.to !== undefined;
  if (conditions.length === 0 && !hasRange && search === undefined) {
    return (
      <Empty icon="list" title="This trail has no events yet">
        <p>Events appear here as soon as an application records them. To try it from a terminal:</p>
        <pre>
          <code>tally emit --type content.publish --actor jane --target post:17</code>
        </pre>
      </Empty>
    );
  }
  const removed = Object.fromEntries(conditions.map((each) => [parameterOf(each), undefined]));
  return (
    <Empty icon="search" title="No event matches">
      <p>Widen the time range, or remove a filter or the search.</p>
      <p class="empty-actions">
        {hasRange && (
          <a class="button" href={place.hrefWith({ last: undefined, from: undefined, to: undefined })}>
            Search all time
          </a>
        )}
        {search !== undefined && (
          <a class="button" href={place.hrefWith({ q: undefined })}>
            Remove the search
          </a>
        )}
        {conditions.length > 0 && (
          <a class="button" href={place.hrefWith(removed)}>
            Remove all filters
          </a>
        )}
      </p>
    </Empty>
  );
}
