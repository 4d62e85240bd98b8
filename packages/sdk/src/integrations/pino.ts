/**
 * A transport of pino: log lines that `auditLine` marks become audit events. It runs in pino's worker thread.
 *
 * @example
 * const log = pino({ transport: { target: '@tallystick/sdk/pino', options: { service: 'shop' } } });
 * log.info(auditLine({ tenantId: 'acme', eventType: 'order.refunded', actorType: 'user', actorId: 'u-17' }), 'refunded');
 */
import { writeSync } from 'node:fs';
import { Transform, type TransformCallback, Writable } from 'node:stream';
import { StringDecoder } from 'node:string_decoder';
import { uuidv7 } from '@tallystick/event';
import { invalidConfig, readOptions, requireInteger } from '../configuration.ts';
import { type AuditEmitter, createAuditEmitter } from '../emitter/emitter.ts';
import type { AnyEventInput } from '../event/input.ts';
import type { RedactionOptions } from '../redaction/options.ts';
import type { SpoolOptions } from '../spool/options.ts';
import { httpTransport } from '../transport/http.ts';

/** Options of the transport. Pino copies them to its worker thread, so they can't contain functions. */
export interface PinoAuditOptions {
  /** Name of the emitting service. @defaultValue as in the emitter: environment variables */
  readonly service?: string | undefined;
  /** The audit service's address. @defaultValue the environment variable `TALLYSTICK_URL` */
  readonly url?: string | undefined;
  /** API key. @defaultValue the environment variable `TALLYSTICK_API_KEY` */
  readonly apiKey?: string | undefined;
  /** The tenant of events that name none. @defaultValue none */
  readonly tenantId?: string | undefined;
  /** Keeps events on disk while the service can't be reached. @defaultValue none */
  readonly spool?: SpoolOptions | undefined;
  /** Which secrets are removed from events; `false`: none. @defaultValue as in the emitter */
  readonly redaction?: RedactionOptions | false | undefined;
  /** Whether the other lines go on to the next transport of a pino `pipeline`. @defaultValue false */
  readonly pipeline?: boolean | undefined;
  /** How long the delivery may take when the process ends, in milliseconds. Pino waits ten seconds. @defaultValue 8000 */
  readonly deadlineMs?: number | undefined;
}

/** The member of a log line that holds an audit event. */
const field = 'audit';

/** A log line that holds an audit event. */
export interface AuditLine {
  readonly audit: AnyEventInput & { readonly auditId: string; readonly timestamp: number | Date | string };
}

/**
 * The object to log, such as with `log.info`. The event gets its id and its time here, so both are known before it is delivered:
 * `line.audit.auditId`. Pino writes the values as JSON.
 */
export function auditLine(event: AnyEventInput): AuditLine {
  const now = Date.now();
  return { audit: { ...event, auditId: event.auditId ?? uuidv7(now), timestamp: event.timestamp ?? now } };
}

/** A longer line is not from pino, or is larger than an event may be. */
const maxLineChars = 4 * 1024 * 1024;

/**
 * The stream into which pino writes, in its worker thread. Ending it delivers the events and declares the end of the producer.
 *
 * @throws {AuditError} `CONFIG_INVALID` for an invalid option
 */
export default function auditTransport(given: PinoAuditOptions = {}): Writable {
  // Pino adds members of its own to the options.
  const { $context: _context, pinoWillSendConfig: _config, ...own } = given as Record<string, unknown>;
  const defaults = { pipeline: false, deadlineMs: 8_000 };
  const others = ['service', 'url', 'apiKey', 'tenantId', 'spool', 'redaction'] as const;
  const options = readOptions<PinoAuditOptions, typeof defaults>('pino', own, defaults, [...others]);
  requireInteger('deadlineMs', options.deadlineMs, 1);
  const { pipeline, deadlineMs, url, apiKey, ...config } = options;
  if (url === undefined && apiKey !== undefined) throw invalidConfig('apiKey needs url');
  const emitter = createAuditEmitter({
    ...config,
    flushOnExit: false,
    onError: ({ code, message }) => complain(code, message),
    ...(url !== undefined && { transport: httpTransport({ url, apiKey }) }),
  });
  const stream = pipeline ? passingOn(emitter, deadlineMs) : consuming(emitter, deadlineMs);
  // Pino calls it for `log.flush()`.
  return Object.assign(stream, { flush: () => emitter.flush({ deadlineMs }) });
}

function consuming(emitter: AuditEmitter, deadlineMs: number): Writable {
  const lines = new LineSplitter();
  return new Writable({
    write(chunk: Buffer, _encoding, done) {
      for (const line of lines.add(chunk)) emitLine(emitter, line);
      done();
    },
    final: (done) => void emitter.close({ deadlineMs }).then(() => done(), done),
  });
}

/** In a pipeline, a line with an event stays here: the event may contain what must not be in a log. */
function passingOn(emitter: AuditEmitter, deadlineMs: number): Transform {
  const lines = new LineSplitter();
  return new Transform({
    transform(chunk: Buffer, _encoding, done: TransformCallback) {
      for (const line of lines.add(chunk)) if (!emitLine(emitter, line)) this.push(`${line}\n`);
      done();
    },
    flush: (done) => void emitter.close({ deadlineMs }).then(() => done(), done),
  });
}

/** @returns whether the line holds an event. It never throws: the worker thread of all transports would end. */
function emitLine(emitter: AuditEmitter, line: string): boolean {
  // Most lines hold no event and need not be parsed.
  if (!line.includes(`"${field}":`)) return false;
  try {
    const event = (JSON.parse(line) as Record<string, unknown>)[field];
    if (typeof event !== 'object' || event === null || Array.isArray(event)) return false;
    try {
      emitter.emit(event as never);
    } catch (error) {
      // A programming error of the application, which can't be thrown there any more.
      complain('INVALID', error instanceof Error ? error.message : String(error));
    }
    return true;
  } catch {
    return false;
  }
}

/** The kinds of faults that this thread has reported. */
const complained = new Set<string>();

/**
 * Writes the first fault of each kind to the error output, at once: what a thread warns of is lost if the process ends. It can't be
 * logged, since the log leads here.
 */
function complain(kind: string, message: string): void {
  if (complained.has(kind)) return;
  complained.add(kind);
  try {
    writeSync(2, `Audit (pino transport): ${kind}: ${message}\n`);
  } catch {
    // The error output is closed or busy. Delivery must go on.
  }
}

/** Joins chunks to lines. What is after the last newline waits for the next chunk. */
class LineSplitter {
  readonly #decoder = new StringDecoder('utf8');
  #rest = '';

  add(chunk: Buffer): readonly string[] {
    const lines = (this.#rest + this.#decoder.write(chunk)).split('\n');
    this.#rest = lines.pop()!;
    if (this.#rest.length > maxLineChars) {
      this.#rest = '';
      complain('LINE_TOO_LONG', `a log line of more than ${maxLineChars} characters is ignored`);
    }
    return lines.filter((line) => line !== '');
  }
}
