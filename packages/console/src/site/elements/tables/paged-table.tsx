import type { ComponentChildren } from 'preact';
import { useRef, useState } from 'preact/hooks';
import { Failure } from '../notices/failure.tsx';
import { LoadingRows } from '../notices/loading-rows.tsx';
import { useResource } from '../requests/resource.ts';
import { useRowKeys } from './row-keys.ts';
import { TableFrame } from './table-frame.tsx';

/** One page of a list of the API. */
export interface ItemPage<T> {
  readonly items: readonly T[];
  /** Absent on the last page. */
  readonly cursor?: string | undefined;
}

/** A table of a list that the API gives in pages. Lists of operations are short, so a button loads the next page. */
export function PagedTable<T>({
  read,
  dependencies,
  columns,
  numbers = [],
  keyOf,
  row,
  empty,
}: {
  readonly read: (cursor: string | undefined, signal: AbortSignal) => Promise<ItemPage<T>>;
  /** The list is read again when one of them changes. */
  readonly dependencies: readonly unknown[];
  readonly columns: readonly string[];
  /** Positions of columns with numbers. */
  readonly numbers?: readonly number[];
  readonly keyOf: (item: T) => string;
  /** The cells. */
  readonly row: (item: T) => ComponentChildren;
  readonly empty: ComponentChildren;
}) {
  const first = useResource((signal) => read(undefined, signal), dependencies);
  const body = useRef<HTMLTableSectionElement>(null);
  useRowKeys(body);
  const [more, setMore] = useState<{ readonly after: ItemPage<T>; readonly pages: readonly ItemPage<T>[] }>();
  const [error, setError] = useState<unknown>();
  if (first.error !== undefined) return <Failure error={first.error} retry={first.reload} />;
  if (first.value === undefined) return <LoadingRows label="Loading the list" />;
  // Further pages belong to the first page that they were read after.
  const pages = [first.value, ...(more?.after === first.value ? more.pages : [])];
  const items = pages.flatMap((page) => page.items);
  if (items.length === 0) return <>{empty}</>;
  const cursor = pages.at(-1)?.cursor;
  const loadMore = async () => {
    try {
      const next = await read(cursor, new AbortController().signal);
      setMore({ after: pages[0]!, pages: [...pages.slice(1), next] });
      setError(undefined);
    } catch (failure) {
      setError(failure);
    }
  };
  return (
    <>
      <TableFrame columns={columns} numbers={numbers} body={body}>
        {items.map((item) => (
          <tr key={keyOf(item)}>{row(item)}</tr>
        ))}
      </TableFrame>
      {error !== undefined && <Failure error={error} />}
      {cursor !== undefined && (
        <p class="more">
          <button type="button" class="button" onClick={() => void loadMore()}>
            Load more
          </button>
        </p>
      )}
    </>
  );
}
