import { CliError } from '../../errors.ts';

type Environment = { readonly [name: string]: string | undefined };

/** Headers that the proxy writes itself. */
const reserved = [
  'host',
  'content-length',
  'content-type',
  'transfer-encoding',
  'connection',
  'accept-encoding',
  'mcp-session-id',
  'mcp-protocol-version',
  'mcp-method',
  'mcp-name',
  'last-event-id',
  'accept',
];

/**
 * Reads `name: value`. `${NAME}` in a value is replaced by a variable of the environment, because other users of the machine can read
 * command lines. Error messages do not contain values.
 *
 * @throws {CliError} `USAGE`
 */
export function readHeaderOptions(
  texts: readonly string[],
  env: Environment,
): { readonly [name: string]: string } {
  const headers: { [name: string]: string } = {};
  for (const text of texts) {
    const colon = text.indexOf(':');
    const name = text.slice(0, Math.max(colon, 0)).trim().toLowerCase();
    if (!/^[!#$%&'*+.^_`|~0-9a-z-]+$/.test(name))
      throw new CliError('USAGE', '--header must be written as name: value');
    if (reserved.includes(name))
      throw new CliError('USAGE', `--header can't set ${name}: the proxy writes it`);
    const value = text
      .slice(colon + 1)
      .trim()
      .replace(/\$\{(\w+)\}/g, (_, variable: string) => variableIn(variable, env));
    if (!/^[\t\x20-\x7e]+$/.test(value))
      throw new CliError('USAGE', `the value of --header ${name} must be printable ASCII, and not empty`);
    headers[name] = value;
  }
  return headers;
}

function variableIn(variable: string, env: Environment): string {
  const value = env[variable];
  if (value === undefined)
    throw new CliError('USAGE', `--header names the variable ${variable}, which is not set`);
  return value;
}

/**
 * The address of an HTTP server.
 *
 * @throws {CliError} `USAGE`
 */
export function readServerUrl(text: string): URL {
  const url = URL.parse(text);
  if (url === null || (url.protocol !== 'https:' && url.protocol !== 'http:'))
    throw new CliError('USAGE', '--url must be an address that begins with https:// or http://');
  if (url.username !== '' || url.password !== '')
    throw new CliError('USAGE', '--url must not contain a name or password', {
      // biome-ignore lint/suspicious/noTemplateCurlyInString: it is what the user writes
      hint: "give credentials with --header 'Authorization: Bearer ${TOKEN}'",
    });
  url.hash = '';
  return url;
}

/** Whether a connection to the address leaves this machine unencrypted. */
export function isUnencrypted(url: URL): boolean {
  return url.protocol === 'http:' && !/^(localhost|127(\.\d{1,3}){3}|\[::1\])$/.test(url.hostname);
}
