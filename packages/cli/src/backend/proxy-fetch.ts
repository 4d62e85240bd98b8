import { Agent as HttpAgent, type IncomingMessage, request as requestHttp } from 'node:http';
import { Agent as HttpsAgent, request as requestHttps } from 'node:https';
import { Readable } from 'node:stream';
import type { Fetch } from '@tallystick/client';
import { proxyEnvironment } from '@tallystick/protocol';

// Why not a library: undici's EnvHttpProxyAgent does this for fetch, and is 1.4 MB that Node contains already without exporting
// it. Node's own agents obey the variables since 22.21, so only their answer has to become a Response.

/**
 * A `fetch` that obeys `HTTPS_PROXY`, `HTTP_PROXY` and `NO_PROXY`. Node's own `fetch` obeys them only with `NODE_USE_ENV_PROXY=1`.
 *
 * @returns undefined if the environment names no proxy: then Node's own `fetch` is right
 */
export function proxyFetch(env: { readonly [name: string]: string | undefined }): Fetch | undefined {
  const proxyEnv = proxyEnvironment(env);
  if (proxyEnv === undefined) return undefined;
  const sockets = { keepAlive: true, proxyEnv };
  const agents = { http: new HttpAgent(sockets), https: new HttpsAgent(sockets) };
  return async (url, { method = 'GET', headers, body, signal }) => {
    const isTls = url.protocol === 'https:';
    const options = {
      method,
      headers: Object.fromEntries(new Headers(headers)),
      agent: isTls ? agents.https : agents.http,
      ...(signal && { signal }),
    };
    return await new Promise((resolve, reject) => {
      const request = isTls ? requestHttps(url, options) : requestHttp(url, options);
      request.once('error', reject);
      request.once('response', (answer) => {
        try {
          resolve(toResponse(answer));
        } catch (error) {
          answer.destroy();
          reject(error);
        }
      });
      request.end(typeof body === 'string' ? body : undefined);
    });
  };
}

/** @throws {TypeError} for a redirect, as `fetch` does with `redirect: 'error'`: it would carry the API key to another address */
function toResponse(answer: IncomingMessage): Response {
  const status = answer.statusCode!;
  if (status >= 300 && status < 400 && answer.headers.location !== undefined)
    throw new TypeError('unexpected redirect');
  const headers = new Headers();
  for (let at = 0; at < answer.rawHeaders.length; at += 2)
    headers.append(answer.rawHeaders[at]!, answer.rawHeaders[at + 1]!);
  const hasBody = status !== 204 && status !== 205 && status !== 304;
  return new Response(hasBody ? (Readable.toWeb(answer) as ReadableStream<Uint8Array>) : null, {
    status,
    headers,
  });
}
