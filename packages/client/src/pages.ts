/** A page of a list. */
interface Page {
  /** Absent or null on the last page. */
  readonly next_cursor?: string | null | undefined;
}

/** The items of every page of a list, one page in memory at a time. */
export async function* itemsOf<P extends Page, T>(
  fetchPage: (cursor: string | undefined) => Promise<P>,
  itemsOfPage: (page: P) => readonly T[],
): AsyncGenerator<T> {
  let cursor: string | undefined;
  do {
    const page = await fetchPage(cursor);
    yield* itemsOfPage(page);
    cursor = page.next_cursor ?? undefined;
  } while (cursor !== undefined);
}

/** Items of a page where the caller names no limit. */
export const defaultPageSize = 500;
