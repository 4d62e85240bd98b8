/** Where a value begins and ends in a JSON text, so that a part can be replaced and the rest stays as it was written. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

/** The value of a member of the object that begins at `at`. The text must be valid JSON without duplicate members. */
export function memberSpan(text: string, at: number, name: string): Span | undefined {
  for (const [key, span] of members(text, at)) if (key === name) return span;
  return undefined;
}

function* members(text: string, at: number): Generator<readonly [name: string, value: Span]> {
  let position = afterSpace(text, at + 1);
  while (text[position] !== '}') {
    const nameEnd = endOfString(text, position);
    // A name may be written with escapes.
    const name = JSON.parse(text.slice(position, nameEnd)) as string;
    const start = afterSpace(text, afterSpace(text, nameEnd) + 1);
    const end = endOfValue(text, start);
    yield [name, { start, end }];
    position = afterSpace(text, end);
    if (text[position] === ',') position = afterSpace(text, position + 1);
  }
}

/** The items of the array that begins at `at`. */
export function itemSpans(text: string, at: number): readonly Span[] {
  const found: Span[] = [];
  let position = afterSpace(text, at + 1);
  while (text[position] !== ']') {
    const end = endOfValue(text, position);
    found.push({ start: position, end });
    position = afterSpace(text, end);
    if (text[position] === ',') position = afterSpace(text, position + 1);
  }
  return found;
}

/** The position of the first character that is not white space. */
export function afterSpace(text: string, at: number): number {
  let position = at;
  while (/[ \t\r\n]/.test(text[position] ?? '')) position++;
  return position;
}

function endOfString(text: string, at: number): number {
  let position = at + 1;
  while (text[position] !== '"') position += text[position] === '\\' ? 2 : 1;
  return position + 1;
}

function endOfValue(text: string, at: number): number {
  if (text[at] === '"') return endOfString(text, at);
  let depth = 0;
  let position = at;
  for (;;) {
    const character = text[position];
    if (character === undefined) return position;
    if (character === '"') position = endOfString(text, position) - 1;
    else if (character === '{' || character === '[') depth++;
    else if (character === '}' || character === ']') {
      if (depth === 0) return position;
      if (--depth === 0) return position + 1;
    } else if (depth === 0 && /[\s,]/.test(character)) return position;
    position++;
  }
}
