/**
 * The secret of a sign-in link that works once. It is in the fragment of the address, which browsers send to no server, and it leaves
 * the address bar and the history at once.
 */
export function takeLinkSecret(): string | undefined {
  const secret = /^#link=([\w-]+)$/.exec(location.hash)?.[1];
  if (secret !== undefined) history.replaceState(history.state, '', location.pathname + location.search);
  return secret;
}
