import { usePlace } from '../address/place.ts';
import { Empty } from '../elements/empty.tsx';
import { Failure } from '../elements/failure.tsx';
import { LoadingRows } from '../elements/loading-rows.tsx';
import { useResource } from '../elements/resource.ts';
import { Time } from '../elements/time.tsx';
import { useConsole } from '../session/console-context.ts';
import { subjectFields } from '../trail/timeline-subject.ts';
import { recentSubjects } from './recent-subjects.ts';

/** How many of the newest events are looked at for their investigations and traces. */
const lookedAt = 500;

/** Chooses a timeline: by its id, or one of those that the newest events belong to. */
export function TimelineStart({ tenant }: { readonly tenant: string }) {
  const { client } = useConsole();
  const place = usePlace();
  const { value, error, reload } = useResource(
    async (signal) => {
      const { events } = await client.events.list({ tenant_id: tenant, limit: lookedAt }, { signal });
      return recentSubjects(events);
    },
    [client, tenant],
  );
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    const data = new FormData(event.currentTarget as HTMLFormElement);
    place.go(place.href('timeline', { [String(data.get('field'))]: String(data.get('id')).trim() }));
  };
  return (
    <div class="stack">
      <form class="timeline-form" onSubmit={submit}>
        <label class="field">
          Timeline of
          <select class="input" name="field">
            {subjectFields.map(({ field, title }) => (
              <option key={field} value={field}>
                {title.toLowerCase()}
              </option>
            ))}
          </select>
        </label>
        <label class="field">
          Id
          <input
            class="input code"
            name="id"
            required
            maxLength={512}
            autocomplete="off"
            spellcheck={false}
          />
        </label>
        <button type="submit" class="button main">
          Show
        </button>
      </form>
      {error !== undefined && <Failure error={error} retry={reload} />}
      {value === undefined && error === undefined && <LoadingRows label="Looking for timelines" />}
      {value !== undefined && (
        <section class="panel" aria-label="Recent timelines">
          <header>
            <h2>
              Recent <span class="faint">among the newest {lookedAt} events</span>
            </h2>
          </header>
          {value.length === 0 ? (
            <Empty icon="flow" title="No recent event belongs to a timeline">
              <p>Events that carry an investigation_id, a trace_id or a correlation_id make one.</p>
            </Empty>
          ) : (
            <ul class="recent-timelines">
              {value.map(({ field, title, id, events, newest, types }) => (
                <li key={`${field} ${id}`}>
                  <a href={place.href('timeline', { [field]: id })}>
                    <span class="faint">{title}</span> {id}
                  </a>
                  <span class="soft">{types.join(', ')}</span>
                  <span class="number faint">
                    {events} {events === 1 ? 'event' : 'events'}
                  </span>
                  <Time value={newest} />
                </li>
              ))}
            </ul>
          )}
        </section>
      )}
    </div>
  );
}
