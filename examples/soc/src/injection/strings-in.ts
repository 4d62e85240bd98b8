/** A text in a document, with its JSON pointer (RFC 6901). */
export interface FoundText {
  readonly where: string;
  readonly text: string;
}

/**
 * Every text in a JSON document, names of members included, because an attacker can hide text in both.
 *
 * @returns `undefined` if the document is nested more deeply than `maxDepth`
 */
export function stringsIn(document: unknown, maxDepth: number): FoundText[] | undefined {
  const found: FoundText[] = [];
  // A stack instead of recursion: the depth of a document is the sender's choice.
  const open: { where: string; value: unknown; depth: number }[] = [{ where: '', value: document, depth: 0 }];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    const { where, value, depth } = next;
    if (depth > maxDepth) return undefined;
    if (typeof value === 'string') {
      found.push({ where, text: value });
    } else if (typeof value === 'object' && value !== null) {
      const members = Object.entries(value).map(([name, member]) => ({
        where: `${where}/${name.replaceAll('~', '~0').replaceAll('/', '~1')}`,
        name,
        value: member as unknown,
        depth: depth + 1,
      }));
      if (!Array.isArray(value)) for (const { where, name } of members) found.push({ where, text: name });
      open.push(...members.toReversed());
    }
  }
  return found;
}
