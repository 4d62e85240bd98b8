import type { ReceivedDelivery } from '@tallystick/protocol';
import { AuditService } from './app.ts';
import { ServerError } from './errors.ts';
import { deliverySchema } from './ingest/admit/delivery.ts';
import type { SubmissionResult } from './ingest/submission.ts';
import type { AuditServiceOptions } from './service-options.ts';

export {
  type EmbeddedDecision,
  type EmbeddedDesk,
  type EmbeddedDeskOptions,
  embeddedDesk,
} from './embedded-desk.ts';

/** What the SDK gives to a transport: the JSON texts of events, in order, with their delivery metadata. */
export interface EmbeddedBatch {
  readonly events: readonly string[];
  readonly delivery: ReceivedDelivery;
}

/**
 * A transport for `@tallystick/sdk` that keeps the trail in this process and in one directory, without a server or a broker.
 * When `send` resolves, the events survive a crash of the process, but not a power cut. Postgres runs in a thread of its own,
 * so that a store that is busy, full or broken does not block the application.
 */
export interface EmbeddedTransport {
  readonly name: 'embedded';
  /**
   * @throws {ServerError} `STORE_FULL`, `STORE_UNAVAILABLE` and others, with the members that the SDK reads: the SDK keeps the events
   *   and sends them again
   */
  send(batch: EmbeddedBatch, signal?: AbortSignal): Promise<readonly SubmissionResult[]>;
  /** Settles what was sent and closes the store. A service that the caller opened stays open. */
  close(): Promise<void>;
  /** The service behind the transport: for queries, verification and checkpoints. */
  readonly service: AuditService;
}

/**
 * Opens an embedded trail.
 *
 * @throws {ServerError} as {@link AuditService.open}
 */
export async function embedded(
  options: Omit<AuditServiceOptions, 'store'> & {
    readonly directory: string;
    /** With less free disk space, events wait in the SDK and the trail can still be read. @defaultValue 67108864 (64 MiB) */
    readonly reserveBytes?: number | undefined;
  },
): Promise<EmbeddedTransport> {
  const { directory, reserveBytes, ...rest } = options;
  const service = await AuditService.open({ ...rest, store: { directory, reserveBytes } });
  return transportOf(service, () => service.close());
}

/** A transport into a service that the caller has opened, and closes itself. */
export function transportOf(
  service: AuditService,
  close: () => Promise<void> = async () => {},
): EmbeddedTransport {
  return {
    name: 'embedded',
    service,
    send: async ({ events, delivery }) => {
      const checked = deliverySchema.safeParse(delivery);
      // Refused before the batch: the database would refuse the valid events with it.
      if (!checked.success)
        throw new ServerError('PARAMETER_INVALID', `malformed delivery: ${checked.error.message}`);
      try {
        return await service.submit({
          events,
          delivery: checked.data,
          source: 'embedded',
          trust: 'operator',
        });
      } catch (error) {
        if (error instanceof ServerError) throw new EmbeddedFailure(error);
        throw error;
      }
    },
    close,
  };
}

/** An error of the service with the members that the SDK reads from an error of a transport. */
class EmbeddedFailure extends ServerError {
  readonly retryable = true;
  /** What `onError` of the SDK says. Messages of the service quote no event. */
  readonly reason: string;

  constructor(error: ServerError) {
    super(error.code, error.message, { cause: error, details: error.details });
    this.reason = error.message;
  }
}
