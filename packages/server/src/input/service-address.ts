/**
 * The address of another service that the operator has configured: `https`, or `http` on this machine, for tests and sidecars.
 *
 * @returns `undefined` for every other text
 */
export function parseServiceAddress(address: string): URL | undefined {
  const url = URL.canParse(address) ? new URL(address) : undefined;
  return url?.protocol === 'https:' || (url?.protocol === 'http:' && isLoopback(url.hostname))
    ? url
    : undefined;
}

function isLoopback(hostname: string): boolean {
  return hostname === 'localhost' || hostname === '[::1]' || /^127\.\d+\.\d+\.\d+$/.test(hostname);
}
