/**
 * Elasticsearch returns `{"host.name": "a"}` and `{"host": {"name": "a"}}` for the same document. This makes the second form of both, one
 * level of objects after the other. A member with a plain name wins over one with dots.
 */
export function expandDots(document: unknown): unknown {
  if (typeof document !== 'object' || document === null || Array.isArray(document)) return document;
  const expanded = emptyObject();
  const entries = Object.entries(document).toSorted(
    ([a], [b]) => Number(a.includes('.')) - Number(b.includes('.')),
  );
  for (const [path, value] of entries) place(expanded, path.split('.'), value);
  return expanded;
}

function place(into: Record<string, unknown>, [name, ...rest]: readonly string[], value: unknown): void {
  if (rest.length === 0) {
    into[name!] ??= value;
    return;
  }
  const inner = into[name!];
  // A copy: the payload stays as it was received.
  const copy = Object.assign(emptyObject(), typeof inner === 'object' && !Array.isArray(inner) ? inner : {});
  if (inner !== undefined && (typeof inner !== 'object' || Array.isArray(inner))) return;
  into[name!] = copy;
  place(copy, rest, value);
}

/** Without a prototype, so that a member called `__proto__` is a member like any other. */
function emptyObject(): Record<string, unknown> {
  return Object.create(null) as Record<string, unknown>;
}
