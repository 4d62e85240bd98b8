import { duration, type EventView, type TimelineView, usd } from '@tallystick/protocol';
import type { ComponentChildren } from 'preact';
import { useMemo } from 'preact/hooks';
import { usePlace } from '../address/place.ts';
import { Empty } from '../elements/notices/empty.tsx';
import { Failure } from '../elements/notices/failure.tsx';
import { LoadingRows } from '../elements/notices/loading-rows.tsx';
import { Notice } from '../elements/notices/notice.tsx';
import { useResource } from '../elements/requests/resource.ts';
import { Copyable } from '../elements/signs/copyable.tsx';
import { Icon } from '../elements/signs/icon.tsx';
import { Time } from '../elements/signs/time.tsx';
import type { RecordState } from '../events/checks/page-check.ts';
import { PageCheckBar } from '../events/checks/page-check-bar.tsx';
import { RecordDrawer } from '../record/record-drawer.tsx';
import { useConsole } from '../session/console-context.ts';
import { may } from '../session/session.ts';
import { ForTenant } from '../shell/tenant.tsx';
import { textOf } from '../trail/event-text.ts';
import { apiSubject, type Subject, subjectOf } from '../trail/timeline-subject.ts';
import { titleOf } from '../trail/title.ts';
import { Missing } from './missing.tsx';
import { useTimelineCheck } from './timeline-check.ts';
import { findTextOf, isFound, TimelineFind } from './timeline-find.tsx';
import { TimelineStart } from './timeline-start.tsx';
import { Figures, TimelineSummary } from './timeline-summary.tsx';
import { TimelineTree } from './timeline-tree.tsx';
import '../events/events.css';
import './timeline.css';

/** Records that a timeline reads at first, and when the reader asks for all: the most that the API gives. */
const limits = { first: 1_000, all: 10_000 };

/** What happened in an investigation, a trace, a correlation or a run of an agent: a tree of causes, and what it says together. */
export function TimelinePage() {
  return <ForTenant page={(tenant) => <TimelineOf key={tenant} tenant={tenant} />} />;
}

function TimelineOf({ tenant }: { readonly tenant: string }) {
  const { parameters } = usePlace();
  const subject = subjectOf(parameters);
  if (subject === undefined) return <TimelineStart tenant={tenant} />;
  const openId = parameters.get('event');
  return (
    <div class="with-drawer">
      <Timeline tenant={tenant} subject={subject} isLong={parameters.get('all') === '1'} />
      {openId !== null && <RecordDrawer tenant={tenant} auditId={openId} />}
    </div>
  );
}

function Timeline({
  tenant,
  subject,
  isLong,
}: {
  readonly tenant: string;
  readonly subject: Subject;
  readonly isLong: boolean;
}) {
  const { client, session } = useConsole();
  const { field, id, title } = subject;
  const limit = isLong ? limits.all : limits.first;
  const { value, error, reload } = useResource(
    async (signal) => ({
      of: id,
      view: await client.timelines.get({ tenant_id: tenant, ...apiSubject(subject), limit }, { signal }),
    }),
    [client, tenant, field, id, limit],
  );
  // The tree of another subject must never stand below this one's name.
  const view = value?.of === id ? value.view : undefined;
  const verification = useTimelineCheck(client, tenant, subject, view?.records);
  return (
    <div class="stack timeline">
      <Heading title={title} field={field} id={id} view={view}>
        {verification !== undefined && may(session, 'log:read') && (
          <button type="button" class="button" onClick={verification.run}>
            <Icon name="shield-check" /> Verify
          </button>
        )}
      </Heading>
      {verification !== undefined && <PageCheckBar check={verification.check} />}
      {error !== undefined && <Failure error={error} retry={reload} />}
      {view === undefined && error === undefined && <LoadingRows label="Loading the timeline" rows={12} />}
      {view !== undefined && view.records.length === 0 && <NoTimeline title={title} />}
      {view !== undefined && view.records.length > 0 && (
        <Story
          view={view}
          subjectId={id}
          isLong={isLong}
          states={verification?.check.verdict.value?.states}
        />
      )}
    </div>
  );
}

function Heading({
  title,
  field,
  id,
  view,
  children,
}: {
  readonly title: string;
  readonly field: Subject['field'];
  readonly id: string;
  readonly view: TimelineView | undefined;
  /** Before the links. */
  readonly children: ComponentChildren;
}) {
  const place = usePlace();
  const first = view?.records[0]?.event;
  const headline = view && titleOf(view.records.map(({ event }) => event));
  const name = (
    <>
      {title} <Copyable text={id} label={`the id of the ${title.toLowerCase()}`} />
    </>
  );
  return (
    <header class="timeline-heading">
      <div>
        <h2>{headline ?? name}</h2>
        {first !== undefined && (
          <p class="soft">
            {headline !== undefined && <span>{name}</span>}
            <span>
              began <Time value={first.timestamp ?? first.ingested_at} precise />
            </span>
          </p>
        )}
      </div>
      {children}
      <ListLink field={field} id={id} first={first} />
      <a class="button" href={place.href('timeline')}>
        Other timelines
      </a>
    </header>
  );
}

/** Leads to the events of the timeline. A run has no filter of its own: its records have a correlation, maybe with others. */
function ListLink({
  field,
  id,
  first,
}: {
  readonly field: Subject['field'];
  readonly id: string;
  readonly first: EventView | undefined;
}) {
  const place = usePlace();
  if (field !== 'run_id') {
    return (
      <a class="button" href={place.href('events', { [field]: id })}>
        Show as a list
      </a>
    );
  }
  const correlation = first && textOf(first, 'correlation_id');
  if (correlation === undefined) return null;
  return (
    <a class="button" href={place.href('events', { correlation_id: correlation })}>
      Its correlation as a list
    </a>
  );
}

function Story({
  view,
  subjectId,
  isLong,
  states,
}: {
  readonly view: TimelineView;
  readonly subjectId: string;
  readonly isLong: boolean;
  /** What the check of the records by this browser came to; absent before it. */
  readonly states: ReadonlyMap<string, RecordState> | undefined;
}) {
  const place = usePlace();
  const { records, summary } = view;
  const calls = summary.models.reduce((sum, model) => sum + model.calls, 0);
  const cost = summary.models.reduce((sum, model) => sum + model.cost_usd, 0);
  const tokens = summary.models.reduce((sum, model) => sum + model.input_tokens + model.output_tokens, 0);
  const find = findTextOf(place.parameters);
  const found = useMemo(
    () => new Set(records.filter((entry) => isFound(entry, find, subjectId))),
    [records, find, subjectId],
  );
  const end = records.reduce((last, { elapsed_ms }) => Math.max(last, elapsed_ms), 0);
  return (
    <>
      <Figures
        figures={[
          ['Duration', duration(end)],
          ['Records', records.length.toLocaleString()],
          ['Model calls', calls.toLocaleString()],
          ['Tokens', tokens.toLocaleString()],
          ['Cost', usd(cost)],
          ['Decisions', summary.people.length.toLocaleString()],
          ['Kept from models', summary.quarantined.length.toLocaleString()],
        ]}
      />
      {!view.complete && (
        <Notice tone="warn" title={`Only the first ${records.length.toLocaleString()} records are shown`}>
          {!isLong && (
            <p>
              <a class="button" href={place.hrefWith({ all: '1' })}>
                Read up to {limits.all.toLocaleString()}
              </a>
            </p>
          )}
        </Notice>
      )}
      <Missing missing={summary.missing} />
      <TimelineSummary summary={summary} records={records} subjectId={subjectId} />
      <section class="panel">
        <header>
          <h2>What led to what</h2>
          <TimelineFind found={found.size} of={records.length} />
        </header>
        {found.size === 0 && <p class="body soft">No record shows this text.</p>}
        <TimelineTree
          entries={records}
          shown={found}
          quarantined={new Set(summary.quarantined)}
          subjectId={subjectId}
          states={states}
        />
      </section>
    </>
  );
}

function NoTimeline({ title }: { readonly title: string }) {
  const place = usePlace();
  return (
    <Empty icon="flow" title={`No record belongs to this ${title.toLowerCase()}`}>
      <p>Check the id and the tenant. Sensitive records need the scope events:read-sensitive.</p>
      <p>
        <a class="button" href={place.href('timeline')}>
          Choose another timeline
        </a>
      </p>
    </Empty>
  );
}
