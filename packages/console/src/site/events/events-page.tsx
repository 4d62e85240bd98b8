import { useEffect, useMemo } from 'preact/hooks';
import { usePlace } from '../address/place.ts';
import { useMediaQuery } from '../elements/browser/media-query.ts';
import { RecordDrawer } from '../record/record-drawer.tsx';
import { useConsole } from '../session/console-context.ts';
import { may } from '../session/session.ts';
import { ForTenant } from '../shell/tenant.tsx';
import { eventQueryOf, listKeyOf } from '../trail/event-query.ts';
import { mostChecked, PageCheck } from './checks/page-check.ts';
import { PageCheckBar } from './checks/page-check-bar.tsx';
import { EventFeed } from './feed/event-feed.ts';
import { Facets } from './filters/facets.tsx';
import { FilterBar } from './filters/filter-bar.tsx';
import { EventList } from './list/event-list.tsx';
import { GapBar } from './list/gap-bar.tsx';
import { ListTools } from './list/list-tools.tsx';
import './events.css';

/** The events of a tenant: search and filters, counts, a list that follows the chain, and a drawer with one record. */
export function EventsPage() {
  return <ForTenant page={(tenant) => <EventsOfTenant tenant={tenant} />} />;
}

function EventsOfTenant({ tenant }: { readonly tenant: string }) {
  const { client, session } = useConsole();
  const place = usePlace();
  const { parameters } = place;
  const openId = parameters.get('event');
  const key = listKeyOf(tenant, parameters);
  // The list stays while the reader opens records or changes columns: only what `key` names leads to another list.
  const { query, feed, check } = useMemo(() => {
    const query = eventQueryOf(tenant, parameters, Date.now());
    return { query, feed: new EventFeed(client, query), check: new PageCheck(client, query) };
  }, [client, key]);
  useEffect(
    () => () => {
      feed.close();
      check.close();
    },
    [feed, check],
  );
  useLiveMode(feed, parameters.get('live') === '1');
  useEffect(() => {
    void feed.loadMore();
  }, [feed]);
  const showsFacets = useFacets(parameters.get('facets'), openId !== null);
  return (
    <div class="events-page" data-drawer={openId !== null}>
      {showsFacets && <Facets query={query} listKey={key} />}
      <section class="events-main">
        <div class="events-tools">
          <FilterBar />
          <ListTools
            showsFacets={showsFacets}
            onCheck={may(session, 'log:read') ? () => void check.run(feed.first(mostChecked)) : undefined}
          />
        </div>
        <PageCheckBar check={check} />
        <EventList feed={feed} check={check} />
        <GapBar tenant={tenant} />
      </section>
      {openId !== null && <RecordDrawer tenant={tenant} auditId={openId} />}
    </div>
  );
}

/** Follows the chain from the first page of the list on. */
function useLiveMode(feed: EventFeed, isLive: boolean): void {
  const end = feed.end.value;
  const hasFirstPage = feed.count > 0 || end === 'end';
  useEffect(() => {
    if (!isLive || !hasFirstPage) return undefined;
    void feed.follow();
    return () => feed.stopFollowing();
  }, [feed, isLive, hasFirstPage]);
}

/** Counts are shown where there is room beside the list, unless the address says otherwise. */
function useFacets(chosen: string | null, hasDrawer: boolean): boolean {
  const isWide = useMediaQuery('(min-width: 80rem)');
  const isVeryWide = useMediaQuery('(min-width: 110rem)');
  if (hasDrawer && !isVeryWide) return false;
  return chosen === null ? isWide : chosen === '1';
}
