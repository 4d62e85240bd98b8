import type { EventFilters } from '@tallystick/client';
import type { EventView } from '@tallystick/protocol';
import { usePlace } from '../address/place.ts';
import { Failure } from '../elements/notices/failure.tsx';
import { useResource } from '../elements/requests/resource.ts';
import { Icon } from '../elements/signs/icon.tsx';
import { Time } from '../elements/signs/time.tsx';
import { useConsole } from '../session/console-context.ts';
import { textOf } from '../trail/event-text.ts';
import { subjectFields, subjectIdOf } from '../trail/timeline-subject.ts';
import { RunLinks } from './run-links.tsx';

/** What joins events, the narrowest first. */
const links = [
  ['correlation_id', 'the same correlation'],
  ['trace_id', 'the same trace'],
  ['investigation_id', 'the same investigation'],
  ['alert_id', 'the same alert'],
  ['target_id', 'the same target'],
  ['actor_id', 'the same actor'],
] as const;
const shown = 8;

/** Events of the same request, trace or investigation. */
export function RelatedEvents({ event }: { readonly event: EventView }) {
  const place = usePlace();
  const present = links.filter(([field]) => textOf(event, field) !== undefined);
  const [closest] = present;
  if (closest === undefined) return null;
  const [field, words] = closest;
  return (
    <section class="record-section">
      <h3>Related events</h3>
      <NearEvents event={event} field={field} words={words} />
      <p class="related-links">
        {subjectFields.map(({ field, title }) => {
          const id = subjectIdOf(event, field);
          return (
            id !== undefined && (
              <a class="button" key={field} href={place.href('timeline', { [field]: id })}>
                <Icon name="flow" />
                Timeline of the {title.toLowerCase()}
              </a>
            )
          );
        })}
        <RunLinks event={event} />
        {present.map(([name, title]) => (
          <a class="button" key={name} href={place.href('events', { [name]: textOf(event, name) })}>
            All with {title}
          </a>
        ))}
      </p>
    </section>
  );
}

function NearEvents({
  event,
  field,
  words,
}: {
  readonly event: EventView;
  readonly field: string;
  readonly words: string;
}) {
  const { client } = useConsole();
  const place = usePlace();
  const value = textOf(event, field);
  const tenant = String(event.tenant_id);
  const { value: page, error } = useResource(
    (signal) => {
      const filters = { [field]: value } as EventFilters;
      return client.events.list({ tenant_id: tenant, filters, limit: shown + 1 }, { signal });
    },
    [client, tenant, field, value],
  );
  if (error !== undefined) return <Failure error={error} />;
  const others = page?.events.filter(({ audit_id }) => audit_id !== event.audit_id).slice(0, shown);
  if (others === undefined) return <p class="faint">Looking …</p>;
  if (others.length === 0) return <p class="faint">No other event has {words}.</p>;
  return (
    <ol class="near-events">
      {others.map((other) => (
        <li key={String(other.audit_id)}>
          <Time value={other.timestamp ?? other.ingested_at} />
          <a href={place.hrefWith({ event: String(other.audit_id) })}>
            {textOf(other, 'event_type') ?? 'sensitive record'}
          </a>
          <span class="faint">{textOf(other, 'actor_id')}</span>
        </li>
      ))}
    </ol>
  );
}
