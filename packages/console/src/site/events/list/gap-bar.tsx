import { usePlace } from '../../address/place.ts';
import { useResource } from '../../elements/requests/resource.ts';
import { Icon } from '../../elements/signs/icon.tsx';
import { useConsole } from '../../session/console-context.ts';
import { lastRanges, timeRangeOf } from '../../trail/event-query.ts';
import { gapsIn, gapsOf, missingEventsText } from '../../trail/missing-events.ts';

/**
 * Says below the list that events of its time are missing. It is below, because it arrives after the list, which would move otherwise. The
 * service is asked once for a tenant, not for each list.
 */
export function GapBar({ tenant }: { readonly tenant: string }) {
  const { client } = useConsole();
  const place = usePlace();
  const { value, error, reload } = useResource(
    async (signal) => ({ of: tenant, gaps: await gapsOf(client, tenant, signal) }),
    [client, tenant],
  );
  if (error !== undefined) {
    return (
      <p class="gap-bar" role="status">
        Whether events of this time are missing could not be read.
        <button type="button" class="button" onClick={reload}>
          Ask again
        </button>
      </p>
    );
  }
  if (value?.of !== tenant) return null;
  const range = timeRangeOf(place.parameters);
  const from = 'last' in range ? Date.now() - lastRanges[range.last]!.ms : timeOf(range.from);
  const found = gapsIn(value.gaps, { from, to: 'last' in range ? undefined : timeOf(range.to) });
  if (found.accounts.length === 0) return null;
  return (
    <p class="gap-bar warn" role="status">
      <Icon name="alert" />
      <span>
        This list may lack events: {missingEventsText(found)}.{' '}
        <a href={place.href('producers')}>Show the gaps</a>
      </span>
    </p>
  );
}

function timeOf(time: string | undefined): number | undefined {
  return time === undefined ? undefined : Date.parse(time);
}
