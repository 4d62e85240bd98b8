import type { ViewerWords } from '../words/viewer-words.ts';
import { useSettings } from './settings.ts';

/** Levels of objects below which a value is shown as JSON. */
const maxDepth = 6;

/** The members of a value, in lines. The value may be anything, and everything is shown as text. */
export function Members({
  value,
  name = '',
  depth = 0,
}: {
  readonly value: unknown;
  /** The member that has the value. */
  readonly name?: string;
  readonly depth?: number;
}) {
  const { words } = useSettings();
  if (typeof value === 'string') {
    const word = wordOf(words, name, value);
    return (
      <span class="text" title={word === undefined ? undefined : value}>
        {word ?? value}
      </span>
    );
  }
  if (typeof value !== 'object' || value === null) return <span>{String(value)}</span>;
  const members = Object.entries(value);
  if (members.length === 0 || depth >= maxDepth) return <code>{JSON.stringify(value)}</code>;
  return (
    <dl class="members">
      {members.map(([name, member]) => (
        <div key={name}>
          <dt title={name}>{Object.hasOwn(words.members, name) ? words.members[name] : name}</dt>
          <dd>
            <Members value={member} name={name} depth={depth + 1} />
          </dd>
        </div>
      ))}
    </dl>
  );
}

/** The reader's word for a value of a closed list. An application may use the same name for other values, and those stay as they are. */
function wordOf({ outcomes, values }: ViewerWords, name: string, value: string): string | undefined {
  const known = name === 'outcome_status' ? outcomes : Object.hasOwn(values, name) ? values[name]! : {};
  return Object.hasOwn(known, value) ? known[value] : undefined;
}
