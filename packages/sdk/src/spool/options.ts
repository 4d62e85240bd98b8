import { readOptions, refusal, requireWhole } from '../configuration.ts';

/** Keeps events on disk while the service can not take them. */
export interface SpoolOptions {
  /** Made if missing. It holds event bodies, without the secrets that redaction finds. */
  readonly directory: string;
  /**
   * Whether several emitters (a cluster's workers, say) are given the directory. Each then takes a free numbered
   * subdirectory of it, and what ended emitters left in the others. Otherwise a second emitter is refused.
   *
   * @defaultValue false
   */
  readonly shared?: boolean;
  /**
   * - `overflow`: memory first; to disk when memory is half full, when delivery fails, and at `close()`.
   * - `always`: every event is on disk before it is sent. A killed process loses what it emitted within the last
   *   `fsyncIntervalMs`, a power cut no more.
   *
   * @defaultValue 'overflow'
   */
  readonly mode?: 'overflow' | 'always';
  /** Bytes of events on disk, at most; beyond it the newest are dropped. @defaultValue 1073741824 (1 GiB) */
  readonly maxBytes?: number;
  /** How long an event waits in memory to be written together with others, in ms. @defaultValue 50 */
  readonly fsyncIntervalMs?: number;
}

export const spoolDefaults = Object.freeze({
  shared: false,
  mode: 'overflow',
  maxBytes: 1024 * 1024 * 1024,
  fsyncIntervalMs: 50,
} as const);

/**
 * With defaults for what is left out.
 *
 * @throws {AuditError} `CONFIG_INVALID`
 */
export function readSpoolOptions(given: SpoolOptions): Required<SpoolOptions> {
  const options = readOptions('spool', given, spoolDefaults, ['directory']);
  const { directory, mode, shared, maxBytes, fsyncIntervalMs } = options;
  if (typeof directory !== 'string' || directory === '') throw refusal('spool.directory must be a path');
  if (mode !== 'overflow' && mode !== 'always') throw refusal("spool.mode must be 'overflow' or 'always'");
  if (typeof shared !== 'boolean') throw refusal('spool.shared must be true or false');
  requireWhole('spool.maxBytes', maxBytes, 1, Number.MAX_SAFE_INTEGER);
  requireWhole('spool.fsyncIntervalMs', fsyncIntervalMs, 0);
  return options;
}
