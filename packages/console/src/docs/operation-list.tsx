import { useMemo, useRef, useState } from 'preact/hooks';
import { useShortcuts } from '../site/elements/browser/keyboard.ts';
import { linkOf, matching, type OpenApiDocument, operationsOf } from './openapi.ts';

/** All operations by their tags, with a search. */
export function OperationList({
  document,
  onFollow,
}: {
  readonly document: OpenApiDocument;
  readonly onFollow: () => void;
}) {
  const [text, setText] = useState('');
  const field = useRef<HTMLInputElement>(null);
  useShortcuts(useMemo(() => ({ '/': () => field.current?.focus() }), []));
  const operations = useMemo(() => operationsOf(document), [document]);
  const found = useMemo(() => matching(operations, text), [operations, text]);
  return (
    <>
      <label class="docs-search">
        <span class="only-for-screen-readers">Search operations</span>
        <input
          ref={field}
          class="input"
          type="search"
          placeholder="Search operations  ( / )"
          value={text}
          onInput={(event) => setText(event.currentTarget.value)}
        />
      </label>
      <p class="only-for-screen-readers" role="status">
        {text === '' ? '' : `${found.length} operations`}
      </p>
      {found.length === 0 && <p class="soft docs-none">No operation has all these words.</p>}
      {document.tags.map(({ name }) => {
        const own = found.filter(({ tag }) => tag === name);
        return (
          own.length > 0 && (
            <section key={name}>
              <h2>{name}</h2>
              <ul>
                {own.map((each) => (
                  <li key={each.id}>
                    <a
                      href={linkOf(each)}
                      onClick={onFollow}
                      title={`${each.method.toUpperCase()} ${each.path}`}
                    >
                      <span class={`docs-method ${each.method}`}>{each.method}</span>
                      <span>{each.summary}</span>
                    </a>
                  </li>
                ))}
              </ul>
            </section>
          )
        );
      })}
    </>
  );
}
