/** What an address has at its end that opens a page with the focus in its search. */
export const searchHash = '#search';

/** Whether the address asks for the focus in the search. It leaves the address bar and the history at once. */
export function takeSearchFocus(): boolean {
  if (location.hash !== searchHash) return false;
  history.replaceState(history.state, '', location.pathname + location.search);
  return true;
}
