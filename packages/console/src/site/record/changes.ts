/** Finds what an event says about the state before and after, and compares the two. */

/** Names under which events hold the state before a change and after it. */
const pairs = [
  ['before', 'after'],
  ['state_before', 'state_after'],
  ['old', 'new'],
  ['old_value', 'new_value'],
  ['previous', 'current'],
] as const;
/** How deep pairs are looked for. */
const deepest = 5;

/** A state before a change and after it, and where the event holds them. */
export interface Change {
  /** Names of members: `event_data.payload`. */
  readonly at: string;
  /** Absent where something was created. */
  readonly before: unknown;
  /** Absent where something was deleted. */
  readonly after: unknown;
}

/** A member that differs. */
export interface Difference {
  /** Empty for a change of a whole value. */
  readonly path: string;
  readonly before: string | undefined;
  readonly after: string | undefined;
}

/** All changes in a value, from the outside in. */
export function changesIn(value: unknown, path: readonly string[] = []): readonly Change[] {
  if (typeof value !== 'object' || value === null || path.length > deepest) return [];
  const members = value as { readonly [name: string]: unknown };
  const pair = pairs.find(([before, after]) => {
    const [one, other] = [Object.hasOwn(members, before), Object.hasOwn(members, after)];
    // A word such as "old" alone says nothing about a change; a state "before" without "after" is a deletion.
    return before === 'before' ? one || other : one && other;
  });
  const own =
    pair === undefined ? [] : [{ at: path.join('.'), before: members[pair[0]], after: members[pair[1]] }];
  const inner = Object.entries(members).filter(
    ([name]) => pair === undefined || !(pair as readonly string[]).includes(name),
  );
  return [...own, ...inner.flatMap(([name, member]) => changesIn(member, [...path, name]))];
}

/** The members that differ, and how many are the same. */
export function differencesOf({ before, after }: Pick<Change, 'before' | 'after'>): {
  readonly differences: readonly Difference[];
  readonly same: number;
} {
  const [old, fresh] = [leavesOf(before), leavesOf(after)];
  const paths = [...new Set([...old.keys(), ...fresh.keys()])];
  const differences = paths
    .map((path) => ({ path, before: old.get(path), after: fresh.get(path) }))
    .filter(({ before, after }) => before !== after);
  return { differences, same: paths.length - differences.length };
}

/** The texts of all values that contain no others, by their paths. */
function leavesOf(value: unknown, path = '', leaves = new Map<string, string>()): Map<string, string> {
  if (value === undefined) return leaves;
  const isLeaf = typeof value !== 'object' || value === null || Object.keys(value).length === 0;
  if (isLeaf) return leaves.set(path, typeof value === 'string' ? value : JSON.stringify(value));
  for (const [name, member] of Object.entries(value as object))
    leavesOf(member, path === '' ? name : `${path}.${name}`, leaves);
  return leaves;
}
