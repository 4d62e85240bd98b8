import type { ComponentChildren, Ref } from 'preact';
import { useLayoutEffect, useRef } from 'preact/hooks';

/** Narrower than this, px, the rows of a table are cards, with the names of the columns in them. Tables with many columns need more. */
const cardsBelow = { few: 640, many: 800 };
const manyColumns = 6;

/** A table with its heading. It scrolls sideways where it must, and has a card for each row where there is little room. */
export function TableFrame({
  name = 'Table',
  columns,
  numbers = [],
  body,
  children,
}: {
  /** For screen readers. */
  readonly name?: string;
  readonly columns: readonly string[];
  /** Positions of columns with numbers. */
  readonly numbers?: readonly number[];
  readonly body?: Ref<HTMLTableSectionElement>;
  /** The rows. */
  readonly children: ComponentChildren;
}) {
  const frame = useRef<HTMLDivElement>(null);
  const table = useRef<HTMLTableElement>(null);
  const below = columns.length < manyColumns ? cardsBelow.few : cardsBelow.many;
  // Without a new rendering, which would come after the first paint: the rows would jump.
  useLayoutEffect(() => {
    const measured = frame.current!;
    const update = () => table.current?.classList.toggle('cards', measured.clientWidth < below);
    update();
    const observer = new ResizeObserver(update);
    observer.observe(measured);
    return () => observer.disconnect();
  }, [below]);
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: a region that scrolls must be reachable by keyboard
    <div class="table-frame" tabIndex={0} role="group" aria-label={`${name}, scrolls sideways`} ref={frame}>
      <table class="table" style={cardNames(columns)} ref={table}>
        <thead>
          <tr>
            {columns.map((column, at) => (
              <th key={column} scope="col" class={numbers.includes(at) ? 'number' : ''}>
                {column}
              </th>
            ))}
          </tr>
        </thead>
        <tbody {...(body !== undefined && { ref: body })}>{children}</tbody>
      </table>
    </div>
  );
}

/** The names of the columns as properties: the cells of a card have them in front of them (elements.css). */
function cardNames(columns: readonly string[]): { readonly [property: string]: string } {
  return Object.fromEntries(columns.map((name, at) => [`--column-${at + 1}`, JSON.stringify(name)]));
}
