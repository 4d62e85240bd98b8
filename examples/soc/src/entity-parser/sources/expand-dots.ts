/** A name with more dots stays one name. Schemas of Elasticsearch are not that deep. */
const maxParts = 32;

type Members = Record<string, unknown>;

/**
 * Elasticsearch returns `{"host.name": "a"}` and `{"host": {"name": "a"}}` for the same document. This makes the second form of both, for
 * the names on the top level. A member with a plain name wins over one with dots. The payload stays as it was received. It takes linear
 * time: an object is copied once, however many names lead into it.
 */
export function expandDots(document: unknown): unknown {
  if (typeof document !== 'object' || document === null || Array.isArray(document)) return document;
  const copies = new Set<unknown>();
  const expanded = copyOf({}, copies);
  const entries = Object.entries(document).toSorted(
    ([a], [b]) => Number(a.includes('.')) - Number(b.includes('.')),
  );
  for (const [name, value] of entries) {
    const parts = name.split('.', maxParts + 1);
    place(expanded, parts.length > maxParts ? [name] : parts, value, copies);
  }
  return expanded;
}

function place(root: Members, parts: readonly string[], value: unknown, copies: Set<unknown>): void {
  let into = root;
  for (const name of parts.slice(0, -1)) {
    const inner = into[name];
    if (inner !== undefined && (typeof inner !== 'object' || inner === null || Array.isArray(inner))) return;
    const copy = copies.has(inner) ? (inner as Members) : copyOf(inner ?? {}, copies);
    into[name] = copy;
    into = copy;
  }
  into[parts.at(-1)!] ??= value;
}

/** Without a prototype, so that a member called `__proto__` is a member like any other. */
function copyOf(members: object, copies: Set<unknown>): Members {
  const copy = Object.assign(Object.create(null) as Members, members);
  copies.add(copy);
  return copy;
}
