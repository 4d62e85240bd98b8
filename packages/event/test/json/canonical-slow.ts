/** RFC 8785 written down directly and slowly. The tests compare the fast writer with it. */
export function canonicalSlowly(value: unknown): string {
  if (value === null) return 'null';
  if (typeof value === 'boolean') return value ? 'true' : 'false';
  if (typeof value === 'number') {
    if (Number.isNaN(value) || value === Infinity || value === -Infinity) throw new Error('not finite');
    return value === 0 ? '0' : String(value);
  }
  if (typeof value === 'string') return quote(value);
  if (Array.isArray(value)) return `[${value.map(canonicalSlowly).join(',')}]`;
  const members = Object.entries(value as object);
  members.sort(([a], [b]) => compareUnits(a, b));
  return `{${members.map(([key, member]) => `${quote(key)}:${canonicalSlowly(member)}`).join(',')}}`;
}

/** 3.2.3: by UTF-16 code units, unsigned, the shorter first where one is a prefix of the other. */
function compareUnits(a: string, b: string): number {
  for (let at = 0; at < Math.min(a.length, b.length); at++) {
    const difference = a.charCodeAt(at) - b.charCodeAt(at);
    if (difference !== 0) return difference;
  }
  return a.length - b.length;
}

const short: { readonly [unit: number]: string } = {
  8: '\\b',
  9: '\\t',
  10: '\\n',
  12: '\\f',
  13: '\\r',
  34: '\\"',
  92: '\\\\',
};

/** 3.2.2.2 */
function quote(text: string): string {
  let quoted = '"';
  for (const character of text) {
    const point = character.codePointAt(0)!;
    if (point >= 0xd800 && point <= 0xdfff) throw new Error('lone surrogate');
    if (short[point] !== undefined) quoted += short[point];
    else if (point < 0x20) quoted += `\\u00${point < 16 ? '0' : ''}${point.toString(16)}`;
    else quoted += character;
  }
  return `${quoted}"`;
}
