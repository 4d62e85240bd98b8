import { duration, type ModelCall, modelCallOf, type TopEvent, timelineRecord } from '@tallystick/protocol';
import { useEffect, useRef, useState } from 'preact/hooks';
import { usePlace } from '../address/place.ts';
import { Empty } from '../elements/notices/empty.tsx';
import { Failure } from '../elements/notices/failure.tsx';
import { LoadingRows } from '../elements/notices/loading-rows.tsx';
import { Time } from '../elements/signs/time.tsx';
import { FilterBar } from '../events/filters/filter-bar.tsx';
import { TimeRangeMenu } from '../events/filters/time-range-menu.tsx';
import { RecordDrawer } from '../record/record-drawer.tsx';
import { useConsole } from '../session/console-context.ts';
import { ForTenant } from '../shell/tenant.tsx';
import { eventQueryOf, listKeyOf } from '../trail/event-query.ts';
import { textOf } from '../trail/event-text.ts';
import { type GreatestCalls, greatestCalls, type Measure, measureOf, measures } from './greatest-calls.ts';
import '../events/events.css';
import './calls.css';

/** The calls of models that cost the most or took the longest, among the events of a search, filters and a time range. */
export function CallsPage() {
  return <ForTenant page={(tenant) => <CallsOf key={tenant} tenant={tenant} />} />;
}

function CallsOf({ tenant }: { readonly tenant: string }) {
  const place = usePlace();
  const measure = measureOf(place.parameters);
  const openId = place.parameters.get('event');
  return (
    <div class="with-drawer">
      <div class="stack">
        <div class="events-tools">
          <FilterBar />
          <div class="list-tools">
            <TimeRangeMenu />
          </div>
        </div>
        <nav class="ranges" aria-label="Ranked by">
          {measures.map(({ name, title }) => (
            <a
              class="button"
              key={name}
              href={place.hrefWith({ by: name, event: undefined })}
              aria-current={name === measure.name ? 'true' : undefined}
            >
              {title}
            </a>
          ))}
        </nav>
        <Ranked
          key={`${measure.name} ${listKeyOf(tenant, place.parameters)}`}
          tenant={tenant}
          measure={measure}
        />
      </div>
      {openId !== null && <RecordDrawer tenant={tenant} auditId={openId} />}
    </div>
  );
}

/** The greatest calls of one measure and one list. Another list is another component. */
function Ranked({ tenant, measure }: { readonly tenant: string; readonly measure: Measure }) {
  const { client } = useConsole();
  const { parameters } = usePlace();
  const [query] = useState(() => eventQueryOf(tenant, parameters, Date.now()));
  const [found, setFound] = useState<GreatestCalls>();
  const [error, setError] = useState<unknown>();
  const [isReading, setReading] = useState(true);
  const closing = useRef(new AbortController());
  const read = async () => {
    const { signal } = closing.current;
    setReading(true);
    setError(undefined);
    try {
      const next = await greatestCalls(client, query, measure, found, signal);
      if (!signal.aborted) setFound(next);
    } catch (failure) {
      if (!signal.aborted) setError(failure);
    }
    if (!signal.aborted) setReading(false);
  };
  useEffect(() => {
    void read();
    return () => closing.current.abort();
  }, []);
  return (
    <>
      {error !== undefined && <Failure error={error} retry={() => void read()} />}
      {found === undefined && error === undefined && <LoadingRows label="Ranking calls of models" />}
      {found !== undefined && (
        <section class="panel" aria-label="Calls of models">
          <Heading found={found} measure={measure} />
          {found.calls.length > 0 && <Calls calls={found.calls} measure={measure} />}
          {found.calls.length === 0 && <NoCalls isComplete={isComplete(found)} />}
          {!isComplete(found) && (
            <p class="more">
              <button type="button" class="button" disabled={isReading} onClick={() => void read()}>
                {isReading ? 'Reading older events …' : 'Read older events'}
              </button>
            </p>
          )}
        </section>
      )}
    </>
  );
}

const isComplete = ({ next }: GreatestCalls) => next.every((cursor) => cursor === undefined);

function Heading({ found, measure }: { readonly found: GreatestCalls; readonly measure: Measure }) {
  const { records, sensitiveLeftOut } = found;
  return (
    <header>
      <h2>
        {measure.heading}{' '}
        <span class="faint">
          among {records.toLocaleString()} {records === 1 ? 'value' : 'values'}
        </span>
      </h2>
      {!isComplete(found) && <span class="badge warn">older events are not read yet</span>}
      {sensitiveLeftOut && <span class="badge">without sensitive events</span>}
    </header>
  );
}

function Calls({ calls, measure }: { readonly calls: GreatestCalls['calls']; readonly measure: Measure }) {
  const most = calls[0]!.value;
  return (
    <ol class="calls">
      {calls.map(({ value, event }) => (
        <Call
          key={String(event.audit_id)}
          event={event}
          measure={measure}
          text={measure.text(value)}
          share={most > 0 ? Math.max(0, value / most) : 0}
        />
      ))}
    </ol>
  );
}

function Call({
  event,
  measure,
  text,
  share,
}: {
  readonly event: TopEvent['event'];
  readonly measure: Measure;
  readonly text: string;
  /** Of the greatest value, 0 to 1. */
  readonly share: number;
}) {
  const place = usePlace();
  const id = String(event.audit_id);
  const isOpen = place.parameters.get('event') === id;
  const call = modelCallOf(timelineRecord(event));
  return (
    <li data-open={isOpen}>
      <span class="call-value number">{text}</span>
      <div>
        <a href={place.hrefWith({ event: id })} aria-current={isOpen ? 'true' : undefined}>
          {call?.model ?? 'unnamed model'}
        </a>{' '}
        <span class="soft">{textOf(event, 'event_type')}</span>
        <p class="faint">
          <span>{textOf(event, 'actor_id')}</span> <Time value={event.timestamp ?? event.ingested_at} />
          {call !== undefined && <CallFigures call={call} hasTime={measure.name !== 'time'} />}
        </p>
      </div>
      <div class="call-bar" aria-hidden="true">
        <span style={{ width: `${100 * share}%` }} />
      </div>
    </li>
  );
}

/** What the ranking does not say: a reader who sorts by cost sees the tokens and the time too. */
function CallFigures({
  call: { inputTokens, outputTokens, latencyMs },
  hasTime,
}: {
  readonly call: ModelCall;
  readonly hasTime: boolean;
}) {
  return (
    <>
      {inputTokens !== undefined && outputTokens !== undefined && (
        <span class="number">
          {inputTokens.toLocaleString()} tokens in, {outputTokens.toLocaleString()} out
        </span>
      )}
      {hasTime && latencyMs !== undefined && <span class="number">{duration(latencyMs)}</span>}
    </>
  );
}

function NoCalls({ isComplete }: { readonly isComplete: boolean }) {
  return (
    <Empty icon="spark" title={isComplete ? 'No call of a model matches' : 'No call among the newest events'}>
      <p>
        {isComplete
          ? 'Widen the time range, or remove a filter. Calls are recorded as agent.model.called, or with llm_… in their context.'
          : 'Older events are not read yet.'}
      </p>
    </Empty>
  );
}
