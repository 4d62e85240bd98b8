import type { AcceptedResult } from '@tallystick/protocol';
import type { AuditService } from '../../app.ts';
import type { Submission, SubmissionResult } from '../../ingest/submission.ts';
import type { ServiceMetrics } from '../../metrics/service-metrics.ts';
import type { DeadLetters } from '../../operations/dead-letters.ts';
import type { ReadAudit } from '../../operations/read-audit.ts';
import type { HeadWatch } from '../../trail/tail.ts';
import type { Trail } from '../../trail/trail.ts';
import type { Streams } from './streams.ts';

/** Takes events before the chain does: `accepted` there is durable, though not chained yet. */
export interface Gateway {
  /** Whether more would be more than may wait. */
  readonly full: boolean;
  accept(submission: Submission): Promise<(AcceptedResult | SubmissionResult)[]>;
}

/** What routes work with; made once with the app. */
export interface Services {
  readonly service: AuditService;
  /** Where events go instead of right into the chain. */
  readonly gateway: Gateway | undefined;
  readonly trail: Trail;
  readonly heads: HeadWatch;
  readonly deadLetters: DeadLetters;
  readonly readAudit: ReadAudit;
  readonly metrics: ServiceMetrics;
  readonly streams: Streams;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  /** Reads the gauges of the store; before each scrape. */
  readonly refreshGauges: () => Promise<void>;
  readonly limits: HttpLimits;
  /** The OpenAPI document and the page made of it, as bytes. */
  readonly documents: { readonly openapi: string; readonly page: string };
}

/** What one client may cost. */
export interface HttpLimits {
  /** Events of one batch. @defaultValue 1000 */
  readonly maxBatchEvents: number;
  /** Bytes of one body, also after decompression. @defaultValue 8388608 */
  readonly maxBodyBytes: number;
  /** Submissions that wait for a transaction before more are turned away. @defaultValue 1000 */
  readonly maxQueued: number;
  /** Most records that one call of verify looks at. @defaultValue 100000 */
  readonly maxVerifyRecords: number;
  /** Live streams at a time, over all clients. @defaultValue 100 */
  readonly maxStreams: number;
  /** Pause between two signs of life on a stream, ms. @defaultValue 15000 */
  readonly heartbeatMs: number;
  /** How long a stream waits for a client that reads nothing, ms. @defaultValue 30000 */
  readonly stalledMs: number;
}

export const defaultLimits: HttpLimits = Object.freeze({
  maxBatchEvents: 1_000,
  maxBodyBytes: 8 * 1024 * 1024,
  maxQueued: 1_000,
  maxVerifyRecords: 100_000,
  maxStreams: 100,
  heartbeatMs: 15_000,
  stalledMs: 30_000,
});
