/** The page of the console that leads on to `/docs`: a reader who comes from there signs in first, as on every page. */
export const toDocsPage = 'docs';

/**
 * Address of that page, relative to `/docs`.
 *
 * @param fragment of the address of `/docs`, which names the open operation: `#/Events/getEvent`
 */
export function signInForDocs(fragment: string): string {
  const at = fragment.replace(/^#\/?/, '');
  return `console/${toDocsPage}${at === '' ? '' : `?at=${encodeURIComponent(at)}`}`;
}

/**
 * Address of `/docs`, beside the console.
 *
 * @param root address of the console
 * @param at the operation to open. It came with the address, so it may be any text; it becomes a fragment and nothing else.
 */
export function docsAddress(root: URL, at: string | null): string {
  const address = new URL('../docs', root);
  if (at !== null && at !== '') address.hash = `/${at}`;
  return address.href;
}
