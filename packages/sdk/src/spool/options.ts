/** Keeps events on disk while the service can not take them. */
export interface SpoolOptions {
  /** A directory of this process alone; made if missing. It holds event bodies, without the secrets that redaction finds. */
  readonly directory: string;
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
  mode: 'overflow',
  maxBytes: 1024 * 1024 * 1024,
  fsyncIntervalMs: 50,
} as const);
