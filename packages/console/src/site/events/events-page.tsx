import { useEffect, useMemo } from 'preact/hooks';
import { usePlace } from '../address/place.ts';
import { useConsole } from '../session/console-context.ts';
import { ForTenant } from '../shell/tenant.tsx';
import { chosenColumns } from './columns.tsx';
import { EventFeed } from './event-feed.ts';
import { EventList } from './event-list.tsx';
import './events.css';
import { RecordDrawer } from '../record/record-drawer.tsx';
import { eventQueryOf, listKeyOf } from '../trail/event-query.ts';
import { FilterBar } from './filter-bar.tsx';
import { ListTools } from './list-tools.tsx';

/** The events of a tenant: filters, a time range, a list that follows the chain, and a drawer with one record. */
export function EventsPage() {
  return <ForTenant page={(tenant) => <EventsOfTenant tenant={tenant} />} />;
}

function EventsOfTenant({ tenant }: { readonly tenant: string }) {
  const { client } = useConsole();
  const place = usePlace();
  const { parameters } = place;
  const key = listKeyOf(tenant, parameters);
  // The list stays while the reader opens records or changes columns: only what `key` names leads to another list.
  const feed = useMemo(
    () => new EventFeed(client, eventQueryOf(tenant, parameters, Date.now())),
    [client, key],
  );
  useEffect(() => () => feed.close(), [feed]);
  const isLive = parameters.get('live') === '1';
  const hasFirstPage =
    feed.end.value === 'more' || feed.end.value === 'end'
      ? feed.events.value.length > 0 || feed.end.value === 'end'
      : feed.events.value.length > 0;
  useEffect(() => {
    if (!isLive || !hasFirstPage) return undefined;
    void feed.follow();
    return () => feed.stopFollowing();
  }, [feed, isLive, hasFirstPage]);
  useEffect(() => {
    void feed.loadMore();
  }, [feed]);
  const openId = parameters.get('event');
  return (
    <div class="events-page" data-drawer={openId !== null}>
      <section class="events-main">
        <div class="events-tools">
          <FilterBar />
          <ListTools isLive={isLive} />
        </div>
        <EventList feed={feed} columns={chosenColumns(parameters)} />
      </section>
      {openId !== null && <RecordDrawer tenant={tenant} auditId={openId} />}
    </div>
  );
}
