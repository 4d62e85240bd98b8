import { useState } from 'preact/hooks';
import { Time } from '../elements/signs/time.tsx';

/** A text that is longer is cut until the reader asks for all of it. */
const longText = 400;
/** Objects below this depth are closed at first. */
const openDepth = 2;
const timePattern = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z$/;

/** A JSON value for people: names and values in lines, lists as lists. The value may be anything, and everything is shown as text. */
export function JsonTree({ value, depth = 0 }: { readonly value: unknown; readonly depth?: number }) {
  if (typeof value === 'string') return <TextValue text={value} />;
  if (typeof value !== 'object' || value === null) return <span class="json-scalar">{String(value)}</span>;
  if (Array.isArray(value)) return <JsonList items={value} depth={depth} />;
  const members = Object.entries(value);
  if (members.length === 0) return <span class="faint">empty</span>;
  return (
    <dl class="json">
      {members.map(([name, member]) => (
        <div class="json-member" key={name} data-nested={isNested(member)}>
          <dt>{name}</dt>
          <dd>
            {isNested(member) && depth >= openDepth ? (
              <details>
                <summary class="faint">{sizeText(member)}</summary>
                <JsonTree value={member} depth={depth + 1} />
              </details>
            ) : (
              <JsonTree value={member} depth={depth + 1} />
            )}
          </dd>
        </div>
      ))}
    </dl>
  );
}

function JsonList({ items, depth }: { readonly items: readonly unknown[]; readonly depth: number }) {
  if (items.length === 0) return <span class="faint">empty</span>;
  return (
    <ul class="json-list" data-nested={items.some(isNested)}>
      {items.map((item, at) => (
        <li key={at}>
          <JsonTree value={item} depth={depth + 1} />
        </li>
      ))}
    </ul>
  );
}

function TextValue({ text }: { readonly text: string }) {
  const [isOpen, setOpen] = useState(false);
  if (timePattern.test(text)) return <Time value={text} precise />;
  if (text === '') return <span class="faint">empty text</span>;
  const isCut = text.length > longText && !isOpen;
  return (
    <span class="json-text">
      {isCut ? `${text.slice(0, longText)}…` : text}
      {isCut && (
        <button type="button" class="button plain" onClick={() => setOpen(true)}>
          Show all {text.length.toLocaleString()} characters
        </button>
      )}
    </span>
  );
}

function isNested(value: unknown): boolean {
  return typeof value === 'object' && value !== null && Object.keys(value).length > 0;
}

function sizeText(value: unknown): string {
  const size = Object.keys(value as object).length;
  return Array.isArray(value) ? `${size} items` : `${size} members`;
}
