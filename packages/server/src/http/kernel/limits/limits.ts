/** How much one client may ask of the service. */
export interface HttpLimits {
  /** Events in one batch. @defaultValue 1000 */
  readonly maxBatchEvents: number;
  /** Bytes in one body, also after decompression. @defaultValue 8388608 */
  readonly maxBodyBytes: number;
  /**
   * Memory for all bodies that are being read, unpacked, parsed or chained, over all clients, as the service estimates it, bytes.
   * A key gets at most half of it, and less while other keys are busy. @defaultValue 67108864
   */
  readonly maxPendingBytes: number;
  /**
   * Bytes of answers that are being sent, over all clients. A client that reads slowly, or not at all, holds those of its answer. Shared
   * between keys like `maxPendingBytes`. @defaultValue 67108864
   */
  readonly maxUnreadBytes: number;
  /** Submissions that may wait for a transaction. The service refuses more. @defaultValue 1000 */
  readonly maxQueued: number;
  /** Records that one call of verify checks. @defaultValue 100000 */
  readonly maxVerifyRecords: number;
  /** Live streams that are open at once, over all clients. @defaultValue 100 */
  readonly maxStreams: number;
  /** Live streams of one key that are open at once. @defaultValue 25 */
  readonly maxStreamsPerKey: number;
  /** Verifications and exports that run at once, over all clients. @defaultValue 16 */
  readonly maxLongRequests: number;
  /** Verifications and exports of one key that run at once. @defaultValue 4 */
  readonly maxLongRequestsPerKey: number;
  /** Time between two heartbeats on a stream, ms. @defaultValue 15000 */
  readonly heartbeatMs: number;
  /** How long a stream waits for a client that reads nothing, ms. @defaultValue 30000 */
  readonly stalledMs: number;
}

export const defaultLimits: HttpLimits = Object.freeze({
  maxBatchEvents: 1_000,
  maxBodyBytes: 8 * 1024 * 1024,
  maxPendingBytes: 64 * 1024 * 1024,
  maxUnreadBytes: 64 * 1024 * 1024,
  maxQueued: 1_000,
  maxVerifyRecords: 100_000,
  maxStreams: 100,
  maxStreamsPerKey: 25,
  maxLongRequests: 16,
  maxLongRequestsPerKey: 4,
  heartbeatMs: 15_000,
  stalledMs: 30_000,
});
