import { invalidConfig, readOptions, requireInteger } from '../configuration.ts';

/** Keeps events on disk while the service can't be reached. */
export interface SpoolOptions {
  /** Directory of the spool; created if it does not exist. It will contain events, without the secrets that redaction finds. */
  readonly directory: string;
  /**
   * Whether several emitters, such as the workers of a cluster, use the directory. Each of them then uses a numbered
   * subdirectory that is free, and takes over the events in subdirectories of emitters that have ended. If `false`, a second
   * emitter can't use the directory.
   *
   * @defaultValue false
   */
  readonly shared?: boolean;
  /**
   * - `overflow`: events are kept in memory. They are written to disk when memory is half full, when delivery fails and at
   *   `close()`.
   * - `always`: every event is written to disk before it is sent. A killed process or a power failure loses only events of the
   *   last `fsyncIntervalMs`.
   *
   * @defaultValue 'overflow'
   */
  readonly mode?: 'overflow' | 'always';
  /** Bytes of events on disk, at most. If the spool is full, new events are dropped. @defaultValue 1073741824 (1 GiB) */
  readonly maxBytes?: number;
  /** How long an event waits in memory to be written to disk together with others, in milliseconds. @defaultValue 50 */
  readonly fsyncIntervalMs?: number;
}

export const spoolDefaults = Object.freeze({
  shared: false,
  mode: 'overflow',
  maxBytes: 1024 * 1024 * 1024,
  fsyncIntervalMs: 50,
} as const);

/** @throws {AuditError} `CONFIG_INVALID` for an invalid option */
export function readSpoolOptions(given: SpoolOptions): Required<SpoolOptions> {
  const options = readOptions('spool', given, spoolDefaults, ['directory']);
  const { directory, mode, shared, maxBytes, fsyncIntervalMs } = options;
  if (typeof directory !== 'string' || directory === '') {
    throw invalidConfig('spool.directory must be a path');
  }
  if (mode !== 'overflow' && mode !== 'always') {
    throw invalidConfig("spool.mode must be 'overflow' or 'always'");
  }
  if (typeof shared !== 'boolean') throw invalidConfig('spool.shared must be true or false');
  requireInteger('spool.maxBytes', maxBytes, 1, Number.MAX_SAFE_INTEGER);
  requireInteger('spool.fsyncIntervalMs', fsyncIntervalMs, 0);
  return options;
}
