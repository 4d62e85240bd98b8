import { limits } from '@tallystick/event';
import { invalidConfig, readOptions, requireInteger } from '../configuration.ts';
import type { AuditError } from '../errors.ts';
import type { UnknownFields } from '../event/encode.ts';
import type { AnyTaxonomy } from '../event/input.ts';
import type { TraceContext } from '../observe/correlation.ts';
import type { RedactionOptions } from '../redaction/options.ts';
import type { Credential } from '../transport/credential.ts';

/** Options of {@link FetchEmitter}. */
export interface FetchEmitterOptions<
  X extends AnyTaxonomy = undefined,
  D extends string | undefined = string | undefined,
> {
  /** Name of the emitting service: `source_service` of every event. */
  readonly service: string;
  /** The audit service's address, for example `https://audit.example.com`. */
  readonly url: string | URL;
  /** API key, sent as a bearer token. @defaultValue none */
  readonly apiKey?: Credential | undefined;
  /** The tenant of events that name none. @defaultValue none: each event must name its tenant */
  readonly tenantId?: D;
  /** Restricts event types and payloads to those of the taxonomy. @defaultValue any well-formed type is allowed */
  readonly taxonomy?: X;
  /** What happens to members of an event that are not fields; as in the emitter. @defaultValue 'refuse' */
  readonly unknownFields?: UnknownFields | undefined;
  /** Which secrets are removed from events before they are sent; `false`: none. @defaultValue as in the emitter */
  readonly redaction?: RedactionOptions | false | undefined;
  /** How many events may wait for the next `flush()`. @defaultValue 1000 */
  readonly bufferSize?: number | undefined;
  /** How many characters of events' JSON may wait. @defaultValue 4194304 (4 Mi) */
  readonly maxBufferBytes?: number | undefined;
  /** Characters of events' JSON in one request. @defaultValue 1048576 (1 Mi) */
  readonly maxBatchBytes?: number | undefined;
  /** How long one request may take, in milliseconds. @defaultValue 5000 */
  readonly timeoutMs?: number | undefined;
  /** How long `flush()`, `close()` and `record()` may take in total, in milliseconds. @defaultValue 10000 */
  readonly deadlineMs?: number | undefined;
  /** Pauses before a request is repeated, in milliseconds: as many repetitions as there are pauses. @defaultValue [250, 1000] */
  readonly retryDelaysMs?: readonly number[] | undefined;
  /** Called with every fault of data and delivery. If it throws, the error is ignored. @defaultValue a warning on the console */
  readonly onError?: ((error: AuditError) => void) | undefined;
  /** The trace and span of the next event. @defaultValue none */
  readonly activeTrace?: (() => TraceContext | undefined) | undefined;
  /** Sends the requests. @defaultValue the global `fetch` */
  readonly fetch?: typeof globalThis.fetch | undefined;
}

/** The defaults of {@link FetchEmitterOptions}. */
export const fetchEmitterDefaults = Object.freeze({
  bufferSize: 1_000,
  maxBufferBytes: 4 * 1024 * 1024,
  maxBatchBytes: 1024 * 1024,
  timeoutMs: 5_000,
  deadlineMs: 10_000,
  retryDelaysMs: Object.freeze([250, 1_000]) as readonly number[],
});

export type FetchSettings = FetchEmitterOptions<AnyTaxonomy> & Required<typeof fetchEmitterDefaults>;

/** @throws {AuditError} `CONFIG_INVALID` */
export function readFetchOptions(given: FetchEmitterOptions<AnyTaxonomy>): FetchSettings {
  const required = ['service', 'url', 'apiKey', 'tenantId', 'taxonomy', 'unknownFields'] as const;
  const hooks = ['redaction', 'onError', 'activeTrace', 'fetch'] as const;
  const options = readOptions('fetchEmitter', given, fetchEmitterDefaults, [
    ...required,
    ...hooks,
  ]) as FetchSettings;
  const { service, apiKey } = options;
  if (typeof service !== 'string' || service === '' || service.length > limits.maxIdentifierLength) {
    throw invalidConfig(`service must be a text of 1 to ${limits.maxIdentifierLength} characters`);
  }
  if (!['string', 'function', 'undefined'].includes(typeof apiKey)) {
    throw invalidConfig('apiKey must be a string, or a function that returns one');
  }
  for (const name of ['bufferSize', 'maxBufferBytes', 'maxBatchBytes', 'timeoutMs', 'deadlineMs'] as const)
    requireInteger(name, options[name], 1);
  const delays: unknown = options.retryDelaysMs;
  if (!Array.isArray(delays)) throw invalidConfig('retryDelaysMs must be a list');
  for (const delay of delays) requireInteger('retryDelaysMs', delay, 0);
  return options;
}
