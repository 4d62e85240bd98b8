import type { Endpoint } from '../kernel/endpoint.ts';
import type { OperationExample } from './operation-examples.ts';

/**
 * The example of an operation as a command for a shell in which `TALLYSTICK_URL` and `TALLYSTICK_API_KEY` are set. A test runs each of
 * them.
 */
export function curlSample(
  { method, path, access, body }: Pick<Endpoint, 'method' | 'path' | 'access' | 'body'>,
  example: OperationExample,
): string {
  const query = Object.entries(example.query ?? {}).map(
    ([name, value]) => `${name}=${encodeURIComponent(value)}`,
  );
  const place = path.replaceAll(/\{(\w+)\}/g, (_, name: string) => example.path?.[name] ?? `{${name}}`);
  const headers = {
    ...(access !== 'open' && { Authorization: 'Bearer $TALLYSTICK_API_KEY' }),
    ...(body !== undefined && { 'Content-Type': 'application/json' }),
    ...example.headers,
  };
  const options = [
    // With data, curl sends a POST by itself.
    ...(method === 'GET' || (method === 'POST' && body !== undefined) ? [] : [`-X ${method}`]),
    ...Object.entries(headers).map(([name, value]) => `-H "${name}: ${value}"`),
    ...(example.body === undefined ? [] : [`-d ${quoted(JSON.stringify(example.body, null, 2))}`]),
    ...(example.file === undefined ? [] : [`-o ${example.file}`]),
  ];
  const address = `"$TALLYSTICK_URL${place}${query.length > 0 ? `?${query.join('&')}` : ''}"`;
  return [`curl -sS${example.endless === true ? 'N' : ''} ${address}`, ...options].join(' \\\n  ');
}

/** A word for a POSIX shell. */
function quoted(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
