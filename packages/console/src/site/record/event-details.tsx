import type { EventView } from '@tallystick/protocol';
import type { ComponentChildren } from 'preact';
import { usePlace } from '../address/place.ts';
import { Copyable } from '../elements/signs/copyable.tsx';
import { TimeWithUtc } from '../elements/signs/time.tsx';
import { isFilterField } from '../trail/event-query.ts';
import { textOf } from '../trail/event-text.ts';
import { JsonTree } from './json-tree.tsx';

/** Members of the event whose parts are sections of their own, in the order of reading. */
const sections = [
  ['decision', 'Decision'],
  ['outcome', 'Outcome'],
  ['context', 'Context'],
  ['event_data', 'Data'],
  ['proof', 'Evidence'],
  ['metadata', 'Metadata'],
  ['ingest', 'How it came in'],
] as const;

/** What the heading, the sections and other parts of the drawer show. */
const shownElsewhere = new Set<string>([
  ...sections.map(([name]) => name),
  ...[
    'event_type',
    'timestamp',
    'record',
    'epoch',
    'claimed',
    'redacted',
    'damaged',
    'is_sensitive',
    'severity',
  ],
  ...[
    'actor_type',
    'actor_id',
    'target_type',
    'target_id',
    'on_behalf_of',
    'audit_id',
    'previous_hash',
    'record_hash',
  ],
  ...['sequence_number', 'ingested_at'],
]);

/** Who did what to what, then every other member of the event. */
export function EventDetails({
  event,
  children,
}: {
  readonly event: EventView;
  /** Between who did what and the other members. */
  readonly children?: ComponentChildren;
}) {
  const others = Object.keys(event).filter((name) => !shownElsewhere.has(name));
  return (
    <>
      <dl class="facts">
        <Person title="Actor" event={event} type="actor_type" id="actor_id" />
        <OnBehalfOf value={event.on_behalf_of} />
        <Person title="Target" event={event} type="target_type" id="target_id" />
        {others.map((name) => (
          <Fact key={name} title={name.replaceAll('_', ' ')}>
            {typeof event[name] === 'string' ? (
              <FilterLink field={name} value={String(event[name])} />
            ) : (
              <JsonTree value={event[name]} />
            )}
          </Fact>
        ))}
      </dl>
      {children}
      {sections.map(([name, title]) => {
        const value = event[name];
        return (
          isFilled(value) && (
            <section class="record-section" key={name}>
              <h3>{title}</h3>
              <JsonTree value={value} />
            </section>
          )
        );
      })}
      <section class="record-section">
        <h3>Place in the chain</h3>
        <dl class="facts">
          <Fact title="Event id">
            <Copyable text={String(event.audit_id)} label="the event id" />
          </Fact>
          <Fact title="Record">
            {String(event.sequence_number)} <span class="faint">of epoch {String(event.epoch)}</span>
          </Fact>
          <Fact title="Chained">
            <TimeWithUtc value={event.ingested_at} />
          </Fact>
          <Fact title="Hash">
            <Copyable text={String(event.record_hash)} label="the hash" />
          </Fact>
          <Fact title="Hash before">
            <Copyable text={String(event.previous_hash)} label="the hash of the record before" />
          </Fact>
        </dl>
      </section>
    </>
  );
}

/** A name and a value. */
function Fact({ title, children }: { readonly title: string; readonly children: ComponentChildren }) {
  return (
    <div class="fact">
      <dt>{title}</dt>
      <dd>{children}</dd>
    </div>
  );
}

function Person({
  title,
  event,
  type,
  id,
}: {
  readonly title: string;
  readonly event: EventView;
  readonly type: string;
  readonly id: string;
}) {
  const value = textOf(event, id);
  if (value === undefined) return null;
  return (
    <Fact title={title}>
      <span class="faint">{textOf(event, type)}</span> <FilterLink field={id} value={value} />
    </Fact>
  );
}

function OnBehalfOf({ value }: { readonly value: unknown }) {
  if (!Array.isArray(value)) return null;
  return (
    <Fact title="On behalf of">
      {value.map((principal: { actor_type?: unknown; actor_id?: unknown }, at) => (
        <span key={at}>
          {at > 0 && ' for '}
          <span class="faint">{String(principal?.actor_type)}</span>{' '}
          <FilterLink field="on_behalf_of" value={String(principal?.actor_id)} />
        </span>
      ))}
    </Fact>
  );
}

/** A value that leads to the events that have it too. */
function FilterLink({ field, value }: { readonly field: string; readonly value: string }) {
  const place = usePlace();
  if (!isFilterField(field)) return <>{value}</>;
  return (
    <a
      class="filter-link"
      href={place.href('events', { [field]: value })}
      title={`Show the events with this ${field}`}
    >
      {value}
    </a>
  );
}

function isFilled(value: unknown): boolean {
  return typeof value === 'object' && value !== null ? Object.keys(value).length > 0 : value !== undefined;
}
