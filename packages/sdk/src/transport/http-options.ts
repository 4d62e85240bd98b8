import { proxyEnvironment } from '@tallystick/protocol';
import { invalidConfig, readOptions, requireInteger } from '../configuration.ts';
import type { Credential } from './credential.ts';

/** The address of the audit service, and how to send to it. */
export interface HttpTransportOptions {
  /**
   * The audit service's address, for example `https://audit.example.com`, or the addresses of several replicas of one service. If one
   * does not work, the batch is sent to the next one. The transport stays with an address that works.
   */
  readonly url: string | URL | readonly (string | URL)[];
  /** API key, sent as a bearer token. @defaultValue none */
  readonly apiKey?: Credential | undefined;
  /**
   * How long one batch may take in total, in milliseconds. Each of several addresses gets an equal part of it.
   *
   * @defaultValue 15000
   */
  readonly timeoutMs?: number | undefined;
  /** Request bodies of at least this many bytes are compressed. `Infinity` switches compression off. @defaultValue 8192 */
  readonly gzipFromBytes?: number | undefined;
}

/** The defaults of {@link HttpTransportOptions}. */
export const httpDefaults = Object.freeze({ timeoutMs: 15_000, gzipFromBytes: 8_192 });

export interface HttpSettings {
  /** The URLs to which batches are posted; at least one. */
  readonly urls: readonly URL[];
  readonly apiKey?: Credential | undefined;
  readonly timeoutMs: number;
  readonly gzipFromBytes: number;
  /** The proxies that the environment names; undefined if it names none. */
  readonly proxyEnv: ReturnType<typeof proxyEnvironment>;
}

/** @throws {AuditError} `CONFIG_INVALID` for an invalid option */
export function readHttpOptions(given: HttpTransportOptions): HttpSettings {
  const { url, ...options } = readOptions('httpTransport', given, httpDefaults, ['url', 'apiKey']);
  requireInteger('timeoutMs', options.timeoutMs, 1);
  if (!(options.gzipFromBytes >= 0)) throw invalidConfig('gzipFromBytes must be a number of at least 0');
  if (!['string', 'function', 'undefined'].includes(typeof options.apiKey)) {
    throw invalidConfig('apiKey must be a string, or a function that returns one');
  }
  const apiKey = typeof options.apiKey === 'string' ? readToken(options.apiKey) : options.apiKey;
  const urls: readonly (string | URL)[] = Array.isArray(url) ? url : [url];
  if (urls.length === 0) throw invalidConfig('url must not be an empty list');
  return { ...options, apiKey, urls: urls.map(readUrl), proxyEnv: proxyEnvironment(process.env) };
}

/** The address of batches. A path of the address is kept, since the service may be behind a reverse proxy. */
export function readUrl(given: string | URL): URL {
  const base = String(given);
  const path = ['v1/audit/events/batch', base.endsWith('/') ? base : `${base}/`] as const;
  const url = URL.canParse(...path) ? new URL(...path) : undefined;
  // The message does not quote the address: it may contain a password.
  if (url?.protocol === 'https:' || url?.protocol === 'http:') return url;
  throw invalidConfig('url must be an address such as https://audit.example.com');
}

/** White space around the key is removed: keys are often read from files, which end with a newline. */
export function readToken(given: unknown): string {
  const token = typeof given === 'string' ? given.trim() : undefined;
  if (token !== undefined && /^[\x21-\x7e]*$/.test(token)) return token;
  throw invalidConfig('apiKey must be visible ASCII characters without spaces');
}
