import type { ComponentChildren } from 'preact';
import { usePlace } from '../address/place.ts';
import { Empty } from '../elements/notices/empty.tsx';
import { Failure } from '../elements/notices/failure.tsx';
import { LoadingRows } from '../elements/notices/loading-rows.tsx';
import { useResource } from '../elements/requests/resource.ts';
import { Time } from '../elements/signs/time.tsx';
import { useConsole } from '../session/console-context.ts';
import { type RecentSubject, recentSubjects } from './recent-subjects.ts';
import './recent-timelines.css';

/** How many of the newest events are looked at for their investigations and traces. */
const lookedAt = 500;

/** The investigations, traces and correlations that the newest events belong to, each with what its events say. */
export function RecentTimelines({
  tenant,
  most,
  children,
}: {
  readonly tenant: string;
  /** How many are listed, those with a title first. @defaultValue all of them, the newest first */
  readonly most?: number;
  /** Beside the title. */
  readonly children?: ComponentChildren;
}) {
  const { client } = useConsole();
  const { value, error, reload } = useResource(
    async (signal) => {
      const { events } = await client.events.list({ tenant_id: tenant, limit: lookedAt }, { signal });
      return { of: tenant, subjects: recentSubjects(events) };
    },
    [client, tenant],
  );
  if (error !== undefined) return <Failure error={error} retry={reload} />;
  // The timelines of another tenant must never stand below this one's name.
  const subjects = value?.of === tenant ? value.subjects : undefined;
  return (
    <section class="panel" aria-label="Recent timelines">
      <header>
        <h2>
          Recent timelines <span class="faint">in the newest {lookedAt} events</span>
        </h2>
        {children}
      </header>
      {subjects === undefined && (
        <div class="timelines-placeholder">
          <LoadingRows label="Looking for timelines" rows={most ?? 9} />
        </div>
      )}
      {subjects?.length === 0 && (
        <Empty icon="flow" title="No recent event belongs to a timeline">
          <p>Events that carry an investigation_id, a trace_id or a correlation_id make one.</p>
        </Empty>
      )}
      {subjects !== undefined && subjects.length > 0 && (
        <ul class="recent-timelines">
          {chosen(subjects, most).map((subject) => (
            <RecentTimeline key={`${subject.field} ${subject.id}`} subject={subject} />
          ))}
        </ul>
      )}
    </section>
  );
}

function chosen(subjects: readonly RecentSubject[], most: number | undefined): readonly RecentSubject[] {
  if (most === undefined) return subjects;
  const hasNoTitle = ({ headline }: RecentSubject) => Number(headline === undefined);
  return subjects.toSorted((a, b) => hasNoTitle(a) - hasNoTitle(b)).slice(0, most);
}

function RecentTimeline({
  subject: { field, title, id, headline, facts, events, newest },
}: {
  readonly subject: RecentSubject;
}) {
  const place = usePlace();
  return (
    <li>
      <a href={place.href('timeline', { [field]: id })}>{headline ?? `${title} ${id}`}</a>
      <span class="recent-facts soft">
        {facts.map((fact, at) => (
          <span key={fact}>
            {at > 0 && ' · '}
            <bdi>{fact}</bdi>
          </span>
        ))}
      </span>
      <span class="recent-id faint">{headline === undefined ? '' : `${title} ${id}`}</span>
      <span class="recent-count number faint">
        {events.toLocaleString()} {events === 1 ? 'event' : 'events'} · <Time value={newest} />
      </span>
    </li>
  );
}
