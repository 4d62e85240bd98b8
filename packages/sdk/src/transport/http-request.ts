import { type Agent as HttpAgent, request as httpRequest, type IncomingMessage } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { preferChained } from '@tallystick/protocol';
import { TransportError } from './transport.ts';

/** One POST request with a JSON body. */
export interface HttpPost {
  readonly url: URL;
  readonly agent: HttpAgent;
  readonly body: Buffer;
  /** Whether the body is compressed. */
  readonly gzipped: boolean;
  /** Bearer token. */
  readonly token: string | undefined;
  readonly signal: AbortSignal;
  /** Whether the events should be chained before the response. */
  readonly chained: boolean;
}

/** The service's response, not yet interpreted. */
export interface HttpResponse {
  readonly status: number;
  /** The header `Retry-After`. */
  readonly retryAfter: string | undefined;
  readonly body: string;
}

/** A response contains a receipt of about 400 bytes for each of at most 1,000 events. */
const maxResponseBytes = 16 * 1024 * 1024;

/**
 * Posts the request, and once more if the service closed the kept-alive connection at that moment. In that case the service
 * has read nothing of the request.
 *
 * @throws {TransportError} if there is no complete response
 */
export async function post(options: HttpPost): Promise<HttpResponse> {
  try {
    return await postOnce(options);
  } catch (cause) {
    if (!(cause instanceof StaleConnection)) throw unreachable(cause);
  }
  try {
    return await postOnce(options);
  } catch (cause) {
    throw unreachable(cause);
  }
}

function postOnce({ url, agent, body, gzipped, token, signal, chained }: HttpPost): Promise<HttpResponse> {
  const headers = {
    accept: 'application/json, application/problem+json',
    'content-type': 'application/json',
    'content-length': body.length,
    'user-agent': 'tallystick-sdk',
    ...(gzipped && { 'content-encoding': 'gzip' }),
    ...(chained && preferChained),
    ...(token !== undefined && { authorization: `Bearer ${token}` }),
  };
  return new Promise((resolve, reject) => {
    let responded = false;
    const open = url.protocol === 'https:' ? httpsRequest : httpRequest;
    const request = open(url, { method: 'POST', agent, headers, signal });
    request.on('error', (error: NodeJS.ErrnoException) => {
      reject(request.reusedSocket && error.code === 'ECONNRESET' ? new StaleConnection() : error);
    });
    request.on('response', (response) => {
      responded = true;
      readResponse(response).then(resolve, reject);
    });
    // If the server switches to another protocol (101), neither of the events above occurs.
    request.on('close', () => {
      if (!responded) reject(new UnusableResponse('the connection was closed without a response'));
    });
    request.end(body);
  });
}

async function readResponse(response: IncomingMessage): Promise<HttpResponse> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > maxResponseBytes) throw new UnusableResponse('the response is too long');
    chunks.push(chunk);
  }
  return {
    status: response.statusCode ?? 0,
    retryAfter: response.headers['retry-after'],
    body: Buffer.concat(chunks).toString('utf8'),
  };
}

/** The service closed a kept-alive connection while the request was sent. */
class StaleConnection extends Error {}

/** Its message is written here and quotes nothing of the response. */
class UnusableResponse extends Error {}

function unreachable(cause: unknown): TransportError {
  if (cause instanceof TransportError) return cause;
  const code = (cause as { code?: unknown } | null)?.code;
  const reason =
    typeof code === 'string' ? code : cause instanceof UnusableResponse ? cause.message : 'no response';
  return new TransportError(`the audit service can't be reached (${reason})`, { retryable: true }, { cause });
}
