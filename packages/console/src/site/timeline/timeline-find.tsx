import { type TimelineEntry, textIn, timelineRecord } from '@tallystick/protocol';
import { usePlace } from '../address/place.ts';
import { modelWordsOf, whatOf, whoOf, whyOf } from './record-words.ts';

/** Longest text to find. It is a part of the address. */
const longest = 200;

/** The text that the address wants to find in the timeline, in small letters. */
export function findTextOf(parameters: URLSearchParams): string {
  return (parameters.get('find') ?? '').trim().slice(0, longest).toLowerCase();
}

/** Whether a line of the timeline shows a text: in its type, its words, who, why, its model, outcome or severity. */
export function isFound({ event }: TimelineEntry, find: string, subjectId: string): boolean {
  if (find === '') return true;
  const record = timelineRecord(event);
  const shown = [
    ...[record.type, whatOf(record, subjectId), whoOf(record), whyOf(record), modelWordsOf(record)],
    ...[textIn(event, 'outcome', 'outcome_status'), textIn(event, 'severity')],
  ];
  return shown.some((text) => text?.toLowerCase().includes(find));
}

/** Finds lines of the timeline by what they show. The address keeps the text. */
export function TimelineFind({ found, of }: { readonly found: number; readonly of: number }) {
  const place = usePlace();
  const text = place.parameters.get('find') ?? '';
  return (
    <search class="timeline-find">
      {text.trim() !== '' && (
        <span class="soft" role="status">
          {found.toLocaleString()} of {of.toLocaleString()}
        </span>
      )}
      <input
        class="input"
        type="search"
        aria-label="Find in these records"
        placeholder="Find: failure, a tool, a person …"
        maxLength={longest}
        autocomplete="off"
        spellcheck={false}
        value={text}
        onInput={(event) => place.change({ find: event.currentTarget.value }, { replace: true })}
        onKeyDown={(event) => {
          if (event.key === 'Escape') event.currentTarget.blur();
        }}
      />
    </search>
  );
}
