import { useSettings } from './settings.ts';

/** Levels of objects below which a value is shown as JSON. */
const maxDepth = 6;

/** The members of a value, in lines. The value may be anything, and everything is shown as text. */
export function Members({ value, depth = 0 }: { readonly value: unknown; readonly depth?: number }) {
  const { words } = useSettings();
  if (typeof value === 'string') return <span class="text">{value}</span>;
  if (typeof value !== 'object' || value === null) return <span>{String(value)}</span>;
  const members = Object.entries(value);
  if (members.length === 0 || depth >= maxDepth) return <code>{JSON.stringify(value)}</code>;
  return (
    <dl class="members">
      {members.map(([name, member]) => (
        <div key={name}>
          <dt title={name}>{Object.hasOwn(words.members, name) ? words.members[name] : name}</dt>
          <dd>
            {name === 'outcome_status' ? (
              <Outcome status={member} />
            ) : (
              <Members value={member} depth={depth + 1} />
            )}
          </dd>
        </div>
      ))}
    </dl>
  );
}

/** A status in the reader's language, as the list has it. One that has no translation is shown as it is. */
function Outcome({ status }: { readonly status: unknown }) {
  const { words } = useSettings();
  if (typeof status !== 'string' || !Object.hasOwn(words.outcomes, status)) return <Members value={status} />;
  return <span title={status}>{words.outcomes[status]}</span>;
}
