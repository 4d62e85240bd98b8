import type { IncomingMessage } from 'node:http';
import { createGunzip } from 'node:zlib';
import type { preParsingHookHandler } from 'fastify';
import { HttpProblem } from './problems.ts';

/** A body's media type, in lower case and without parameters. */
export function mediaType(request: IncomingMessage): string {
  return (request.headers['content-type'] ?? '').split(';', 1)[0]!.trim().toLowerCase();
}

/**
 * A Fastify hook that runs before a body is read: it refuses media types and encodings that the route does not accept, and
 * unpacks gzip. Fastify itself collects the bytes, and stops as soon as the unpacked body exceeds the route's `bodyLimit`. A
 * small body that unpacks to a huge one therefore costs little.
 *
 * @param types the media types that the route accepts, in lower case
 */
export function unpackBody(types: readonly string[]): preParsingHookHandler {
  return (request, reply, payload, done) => {
    const { raw } = request;
    if (!types.includes(mediaType(raw))) {
      const problem = new HttpProblem('CONTENT_TYPE_UNSUPPORTED', `the body must be ${types.join(' or ')}`, {
        headers: { accept: types.join(', ') },
      });
      return done(problem);
    }
    const encoding = (raw.headers['content-encoding'] ?? 'identity').trim().toLowerCase();
    if (encoding === 'identity') return done(null, payload);
    if (encoding !== 'gzip') {
      const message = 'the content encoding must be gzip or identity';
      const headers = { 'accept-encoding': 'gzip, identity' };
      return done(new HttpProblem('CONTENT_ENCODING_UNSUPPORTED', message, { headers }));
    }
    const gunzip = createGunzip();
    // Fastify listens for errors only until it has the body or gives up. Without a listener, a later error ends the process.
    gunzip.on('error', () => undefined);
    // `pipeline()` would destroy the request on a fault of the data, and with it the connection that the answer needs.
    raw.once('close', () => {
      if (!raw.complete) gunzip.destroy(new Error('the client closed the connection'));
    });
    reply.raw.once('close', () => gunzip.destroy());
    // Fastify compares this with Content-Length. Node has compared that with the bytes that arrived.
    const receivedEncodedLength = Number(raw.headers['content-length'] ?? 0);
    done(null, Object.assign(payload.pipe(gunzip), { receivedEncodedLength }));
  };
}

/** The answer to a body that exceeds the limits. */
export function tooLarge(maxBytes: number, maxEvents?: number): HttpProblem {
  const events = maxEvents === undefined ? '' : ` and ${maxEvents} events`;
  return new HttpProblem('TOO_LARGE', `the body may have at most ${maxBytes} bytes${events}`, {
    extensions: {
      limits: { max_bytes: maxBytes, ...(maxEvents !== undefined && { max_events: maxEvents }) },
    },
    // The service does not read the rest of the body, so the connection can't be used again.
    headers: { connection: 'close' },
  });
}
