import type { IncomingMessage } from 'node:http';
import type { Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { HttpProblem } from './problem.ts';

export interface BodyRules {
  /** Media types that are taken, lower case. */
  readonly types: readonly string[];
  /** Most bytes, also after decompression. */
  readonly maxBytes: number;
}

/** A body's media type, lower case and without parameters. */
export function mediaType(request: IncomingMessage): string {
  return (request.headers['content-type'] ?? '').split(';', 1)[0]!.trim().toLowerCase();
}

/**
 * Reads a body as the bytes that it is, decompressed where it says gzip. What it may cost is bounded before and after
 * decompression: a bomb is dropped as soon as it has unfolded too far.
 *
 * @throws {HttpProblem} `CONTENT_TYPE_UNSUPPORTED`, `CONTENT_ENCODING_UNSUPPORTED`, `TOO_LARGE` or `BODY_MALFORMED`
 */
export async function readBody(request: IncomingMessage, rules: BodyRules): Promise<Buffer> {
  if (!rules.types.includes(mediaType(request))) {
    throw new HttpProblem('CONTENT_TYPE_UNSUPPORTED', `the body must be ${rules.types.join(' or ')}`, {
      headers: { accept: rules.types.join(', ') },
    });
  }
  const encoding = (request.headers['content-encoding'] ?? 'identity').trim().toLowerCase();
  if (encoding !== 'gzip' && encoding !== 'identity') {
    throw new HttpProblem('CONTENT_ENCODING_UNSUPPORTED', 'the body may be sent as it is, or with gzip', {
      headers: { 'accept-encoding': 'gzip, identity' },
    });
  }
  if (Number(request.headers['content-length'] ?? 0) > rules.maxBytes) throw tooLarge(rules.maxBytes);
  return encoding === 'gzip'
    ? await unzip(request, rules.maxBytes)
    : await collect(request, rules.maxBytes, 'the body broke off');
}

async function unzip(request: IncomingMessage, maxBytes: number): Promise<Buffer> {
  const gunzip = createGunzip();
  // A request that breaks off must end the decompression, or it would be waited for.
  const onClose = () => {
    if (!request.complete) gunzip.destroy(new Error('the body broke off'));
  };
  request.once('close', onClose);
  request.pipe(gunzip);
  try {
    return await collect(gunzip, maxBytes, 'the body broke off, or is not what gzip makes');
  } finally {
    request.off('close', onClose);
    request.unpipe(gunzip);
    gunzip.destroy();
  }
}

/**
 * Not `for await`: leaving that early would destroy the request, and with it the connection that the answer has to go
 * through.
 */
function collect(stream: Readable, maxBytes: number, fault: string): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let size = 0;
    const settle = (problem?: HttpProblem) => {
      stream.off('data', onData).off('end', onEnd).off('error', onFault).off('close', onFault);
      if (problem === undefined) return resolve(Buffer.concat(chunks, size));
      // Errors after this one have nobody left to tell.
      stream.on('error', () => undefined);
      stream.pause();
      reject(problem);
    };
    const onData = (chunk: Buffer) => {
      size += chunk.length;
      if (size > maxBytes) return settle(tooLarge(maxBytes));
      chunks.push(chunk);
    };
    const onEnd = () => settle();
    const onFault = () => settle(new HttpProblem('BODY_MALFORMED', fault));
    stream.on('data', onData).on('end', onEnd).on('error', onFault).on('close', onFault);
  });
}

export function tooLarge(maxBytes: number, maxEvents?: number): HttpProblem {
  const events = maxEvents === undefined ? '' : ` and ${maxEvents} events`;
  return new HttpProblem('TOO_LARGE', `the body may have at most ${maxBytes} bytes${events}`, {
    extensions: {
      limits: { max_bytes: maxBytes, ...(maxEvents !== undefined && { max_events: maxEvents }) },
    },
    // What is left of the body is not read.
    headers: { connection: 'close' },
  });
}
