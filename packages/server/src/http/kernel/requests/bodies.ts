import type { IncomingMessage } from 'node:http';
import { type Readable, Transform } from 'node:stream';
import { createGunzip } from 'node:zlib';
import type { FastifyRequest, preParsingHookHandler } from 'fastify';
import type { Lease } from '../limits/body-budget.ts';
import { HttpProblem } from '../problems.ts';

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
 * @param leaseOf what the request holds of the memory for bodies; it grows with every byte that arrives or is unpacked
 */
export function unpackBody(
  types: readonly string[],
  leaseOf: (request: FastifyRequest) => Lease,
): preParsingHookHandler {
  return (request, reply, payload, done) => {
    const { raw } = request;
    if (!types.includes(mediaType(raw))) {
      const problem = new HttpProblem('CONTENT_TYPE_UNSUPPORTED', `the body must be ${types.join(' or ')}`, {
        headers: { accept: types.join(', ') },
      });
      return done(problem);
    }
    const encoding = (raw.headers['content-encoding'] ?? 'identity').trim().toLowerCase();
    // Fastify compares this with Content-Length. Node has compared that with the bytes that arrived.
    const receivedEncodedLength = Number(raw.headers['content-length'] ?? 0);
    const metered = (source: NodeJS.ReadableStream) =>
      Object.assign(meter(source, leaseOf(request)), { receivedEncodedLength });
    if (encoding === 'identity') return done(null, metered(payload));
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
    done(null, metered(payload.pipe(gunzip)));
  };
}

/** Passes a body on, and stops when the request may hold no more bytes. */
function meter(source: NodeJS.ReadableStream, lease: Lease): Readable {
  let bytes = 0;
  const metering = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      bytes += chunk.length;
      try {
        lease.hold(bytes);
        done(null, chunk);
      } catch (error) {
        done(error as Error);
      }
    },
  });
  // As for gunzip: an error without a listener would end the process.
  metering.on('error', () => undefined);
  source.on('error', (error) => metering.destroy(error));
  source.once('close', () => {
    if (!metering.writableEnded) metering.destroy(new Error('the body is incomplete'));
  });
  return source.pipe(metering);
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
