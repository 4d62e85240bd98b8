import {
  duration,
  type TimelineEntry,
  type TimelineRecord,
  type TimelineSummaryView,
  timelineRecord,
  usd,
} from '@tallystick/protocol';
import type { ComponentChildren } from 'preact';
import { usePlace } from '../address/place.ts';
import { Badge, type Tone } from '../elements/signs/badge.tsx';
import { reasonOf, whoOf } from './record-words.ts';

const groups = {
  done: { tone: 'good', text: 'done' },
  not_done: { tone: 'bad', text: 'not done' },
  undone: { tone: 'warn', text: 'rolled back' },
} as const satisfies { [group: string]: { tone: Tone; text: string } };

/** What was done, who decided, and which models were asked. */
export function TimelineSummary({
  summary: { effects, people, models },
  records,
  subjectId,
}: {
  readonly summary: TimelineSummaryView;
  /** The records that the summary is about. */
  readonly records: readonly TimelineEntry[];
  /** Id of what the timeline is about: its targets do not repeat it. */
  readonly subjectId: string;
}) {
  const byId = new Map(records.map(({ event }) => [String(event.audit_id), timelineRecord(event)]));
  return (
    <div class="timeline-summary">
      <Part title="Actions" none="No action was done or refused." isEmpty={effects.length === 0}>
        {effects.map(({ action, target, group, ends, audit_ids }) => (
          <li key={audit_ids[0]}>
            <Badge tone={groups[group].tone}>{groups[group].text}</Badge>
            <RecordLink id={audit_ids[0]!}>{action}</RecordLink>
            {target !== undefined && !target.endsWith(`:${subjectId}`) && <span class="faint">{target}</span>}
            {(group !== 'done' || ends.length > 1) && <span>{ends.join(', ')}</span>}
            <Reason record={byId.get(audit_ids[0]!)} byId={byId} />
          </li>
        ))}
      </Part>
      <Part title="People" none="No person took part." isEmpty={people.length === 0}>
        {people.map(({ person, did, latency_ms, comment, audit_id }) => (
          <li key={audit_id}>
            <strong>{person}</strong> <RecordLink id={audit_id}>{did}</RecordLink>
            {latency_ms !== undefined && <span class="faint">after {duration(latency_ms)}</span>}
            {comment !== undefined && <q>{comment}</q>}
          </li>
        ))}
      </Part>
      <Part title="Models" none="No model was asked." isEmpty={models.length === 0}>
        {models.map(({ model, calls, input_tokens, output_tokens, cost_usd, calls_without_cost }) => (
          <li key={model} class="timeline-models">
            <strong>{model}</strong>
            <span class="number">
              {calls} {calls === 1 ? 'call' : 'calls'}
            </span>
            <span class="number">{(input_tokens + output_tokens).toLocaleString()} tokens</span>
            <span class="number">
              {calls_without_cost === calls
                ? 'cost not recorded'
                : `${calls_without_cost > 0 ? 'at least ' : ''}${usd(cost_usd)}`}
            </span>
          </li>
        ))}
      </Part>
    </div>
  );
}

/** Who acted, and why: an end of an action often leaves the reason to the record that led to it. */
function Reason({
  record,
  byId,
}: {
  readonly record: TimelineRecord | undefined;
  readonly byId: ReadonlyMap<string, TimelineRecord>;
}) {
  if (record === undefined) return null;
  const who = whoOf(record);
  const why = reasonOf(record, byId);
  return (
    <span class="timeline-reason soft">
      {who !== undefined && (
        <>
          by <bdi>{who}</bdi>
        </>
      )}
      {who !== undefined && why !== undefined && ': '}
      <bdi>{why}</bdi>
    </span>
  );
}

function Part({
  title,
  none,
  isEmpty,
  children,
}: {
  readonly title: string;
  readonly none: string;
  readonly isEmpty: boolean;
  readonly children: ComponentChildren;
}) {
  return (
    <section class="panel">
      <header>
        <h2>{title}</h2>
      </header>
      {isEmpty ? <p class="body faint">{none}</p> : <ul class="body timeline-part">{children}</ul>}
    </section>
  );
}

function RecordLink({ id, children }: { readonly id: string; readonly children: ComponentChildren }) {
  const place = usePlace();
  return <a href={place.hrefWith({ event: id })}>{children}</a>;
}

/** Figures of the whole timeline. */
export function Figures({
  figures,
}: {
  readonly figures: readonly (readonly [title: string, text: string])[];
}) {
  return (
    <dl class="figures">
      {figures.map(([title, text]) => (
        <div key={title}>
          <dt>{title}</dt>
          <dd class="number">{text}</dd>
        </div>
      ))}
    </dl>
  );
}
