import { ServerError } from '../../errors.ts';
import { parseServiceAddress } from '../../input/service-address.ts';

/** Most bytes of an answer of the issuer. The key sets of large providers have some ten kilobytes. */
const maxBytes = 256 * 1024;
const timeoutMs = 5_000;

/** `fetch`, as far as the service uses it. */
export type FetchLike = (url: string, init: RequestInit) => Promise<Response>;

/**
 * An address of the provider: `https`, or `http` on this machine, for tests and sidecars.
 *
 * @param name what the error calls the address
 * @throws {ServerError} `CONFIG_INVALID`
 */
export function parseIssuerUrl(address: string, name: string): URL {
  const url = parseServiceAddress(address);
  if (url !== undefined) return url;
  const message = `the logins: ${name}: must be an https:// address; http:// is possible on this machine only`;
  throw new ServerError('CONFIG_INVALID', message);
}

/**
 * Fetches a JSON object from the issuer. Redirects are refused, and the answer is bounded in size and time.
 *
 * @throws {ServerError} `ISSUER_UNAVAILABLE`
 */
export async function fetchObject(
  address: string,
  fetch: FetchLike,
): Promise<{ readonly [name: string]: unknown }> {
  try {
    const response = await fetch(address, {
      headers: { accept: 'application/json' },
      redirect: 'error',
      signal: AbortSignal.timeout(timeoutMs),
    });
    if (response.status !== 200) {
      await response.body?.cancel();
      throw new Error(`the answer has the status ${response.status}`);
    }
    const value: unknown = JSON.parse(await readBounded(response));
    if (typeof value !== 'object' || value === null || Array.isArray(value))
      throw new Error('the answer is not a JSON object');
    return value as { readonly [name: string]: unknown };
  } catch (cause) {
    throw new ServerError('ISSUER_UNAVAILABLE', `can't read ${address} of the logins' issuer`, { cause });
  }
}

/**
 * `fetch` for a library that talks to the issuer: the answer is bounded in size. The library sets a time limit, and follows no redirect.
 */
export async function boundedFetch(address: string, init: RequestInit): Promise<Response> {
  const response = await fetch(address, init);
  const { status, headers } = response;
  const text = await readBounded(response);
  return new Response(text === '' ? null : text, { status, headers });
}

async function readBounded(response: Response): Promise<string> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  // Leaving the loop cancels the rest of the body.
  for await (const chunk of response.body ?? []) {
    length += chunk.length;
    if (length > maxBytes) throw new Error(`the answer has more than ${maxBytes} bytes`);
    chunks.push(chunk);
  }
  return new TextDecoder('utf-8', { fatal: true }).decode(Buffer.concat(chunks));
}
