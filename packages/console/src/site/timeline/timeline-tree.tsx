import { duration, type TimelineEntry, textIn, timelineRecord } from '@tallystick/protocol';
import { useRef } from 'preact/hooks';
import { usePlace } from '../address/place.ts';
import { Badge, toneOfOutcome, toneOfSeverity } from '../elements/signs/badge.tsx';
import { Icon } from '../elements/signs/icon.tsx';
import { useRowKeys } from '../elements/tables/row-keys.ts';
import type { RecordState } from '../events/checks/page-check.ts';
import { RecordMark } from '../events/checks/record-mark.tsx';
import { modelWordsOf, whatOf, whoOf, whyOf } from './record-words.ts';
import { stepTimes } from './step-times.ts';

/** Deeper branches are drawn at this depth: an audited party must not push its records off the screen. */
const deepest = 8;

/** The records in the order of the tree, each below the record that led to it, with a bar for the time that it took. */
export function TimelineTree({
  entries,
  shown,
  quarantined,
  subjectId,
  states,
}: {
  readonly entries: readonly TimelineEntry[];
  /** Those of the entries that the reader looks for. The times of the steps come from all. */
  readonly shown: ReadonlySet<TimelineEntry>;
  readonly quarantined: ReadonlySet<string>;
  /** Id of what the timeline is about: records about it do not repeat it. */
  readonly subjectId: string;
  readonly states: ReadonlyMap<string, RecordState> | undefined;
}) {
  const list = useRef<HTMLOListElement>(null);
  useRowKeys(list, 'li');
  const steps = stepTimes(entries);
  // Not with spread arguments: there may be ten thousand records.
  const total = entries.reduce((most, { elapsed_ms }, at) => Math.max(most, elapsed_ms + steps[at]!), 1);
  return (
    <ol class="timeline-tree" ref={list} aria-label="Records, each below the one that led to it">
      {entries.map(
        (entry, at) =>
          shown.has(entry) && (
            <TimelineLine
              key={`${String(entry.event.epoch)}-${String(entry.event.sequence_number)}`}
              entry={entry}
              total={total}
              stepMs={steps[at]!}
              subjectId={subjectId}
              isQuarantine={quarantined.has(String(entry.event.audit_id))}
              beginsLine={entry.is_root && at > 0}
              state={states?.get(String(entry.event.audit_id))}
            />
          ),
      )}
    </ol>
  );
}

function TimelineLine({
  entry: { event, depth, elapsed_ms, duration_ms },
  total,
  stepMs,
  subjectId,
  isQuarantine,
  beginsLine,
  state,
}: {
  readonly entry: TimelineEntry;
  readonly total: number;
  readonly stepMs: number;
  readonly subjectId: string;
  readonly isQuarantine: boolean;
  readonly beginsLine: boolean;
  readonly state: RecordState | undefined;
}) {
  const place = usePlace();
  const record = timelineRecord(event);
  const id = record.id;
  const status = textIn(event, 'outcome', 'outcome_status');
  const severity = textIn(event, 'severity');
  const model = modelWordsOf(record);
  const why = whyOf(record);
  const who = whoOf(record);
  const left = (100 * elapsed_ms) / total;
  const width = (100 * stepMs) / total;
  return (
    <li
      class="timeline-line"
      data-open={place.parameters.get('event') === id}
      data-begins={beginsLine}
      style={{ '--depth': Math.min(depth, deepest) }}
    >
      <span class="timeline-time number faint">+{duration(elapsed_ms)}</span>
      <div class="timeline-what">
        <p class="timeline-head">
          {state !== undefined && <RecordMark state={state} />}
          <a href={place.hrefWith({ event: id })}>{record.type}</a>
          {isQuarantine && <Badge tone="warn">kept from the model</Badge>}
          {event.claimed === true && <Badge tone="warn">claimed</Badge>}
          {event.damaged === true && <Badge tone="bad">damaged record</Badge>}
          {status !== undefined && status !== 'success' && (
            <Badge tone={toneOfOutcome(status)}>{status.replaceAll('_', ' ')}</Badge>
          )}
          {(severity === 'critical' || severity === 'warning') && (
            <Badge tone={toneOfSeverity(severity)}>{severity}</Badge>
          )}
        </p>
        <p class="timeline-words">
          <bdi>{whatOf(record, subjectId)}</bdi> {who !== undefined && <span class="faint">by {who}</span>}
        </p>
        {why !== undefined && <p class="timeline-why soft">{why}</p>}
        {model !== undefined && (
          <p class="timeline-model">
            <Icon name="spark" /> <bdi>{model}</bdi>
          </p>
        )}
      </div>
      <div class="timeline-bar" aria-hidden="true">
        <span style={{ left: `${left}%`, width: `${width}%` }} />
      </div>
      <span
        class="timeline-took number faint"
        title={`${duration(duration_ms)} until the last record that it led to`}
      >
        {stepMs > 0 ? duration(stepMs) : ''}
      </span>
    </li>
  );
}
