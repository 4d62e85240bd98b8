import type { ReceivedDelivery } from '@tallystick/protocol';
import { AuditService, type AuditServiceOptions } from './app.ts';
import { ServerError } from './errors.ts';
import { deliverySchema } from './ingest/admit/delivery.ts';
import type { SubmissionResult } from './ingest/submission.ts';

/** What the SDK hands to a transport: the JSON texts of events, in order, and what travels beside them. */
export interface EmbeddedBatch {
  readonly events: readonly string[];
  readonly delivery: ReceivedDelivery;
}

/**
 * A transport for `@tallystick/sdk` that keeps the trail in this very process: no server, no broker, one directory.
 * Events are durable (against a killed process, not a power cut) when `send` resolves.
 */
export interface EmbeddedTransport {
  readonly name: 'embedded';
  send(batch: EmbeddedBatch, signal?: AbortSignal): Promise<readonly SubmissionResult[]>;
  /** Settles what was sent and closes the store, unless the service was handed in. */
  close(): Promise<void>;
  /** The service behind it: query, verify, checkpoints. */
  readonly service: AuditService;
}

/**
 * Opens an embedded trail.
 *
 * @throws {ServerError} as {@link AuditService.open}
 */
export async function embedded(
  options: Omit<AuditServiceOptions, 'store'> & { readonly directory: string },
): Promise<EmbeddedTransport> {
  const { directory, ...rest } = options;
  const service = await AuditService.open({ ...rest, store: { directory } });
  return transportOf(service, () => service.close());
}

/** A transport into a service that is open already and stays so. */
export function transportOf(
  service: AuditService,
  close: () => Promise<void> = async () => {},
): EmbeddedTransport {
  return {
    name: 'embedded',
    service,
    send: async ({ events, delivery }) => {
      const checked = deliverySchema.safeParse(delivery);
      // Found out here, where nothing is at stake: the database would refuse good events together with it.
      if (!checked.success)
        throw new ServerError('PARAMETER_INVALID', `malformed delivery: ${checked.error.message}`);
      return await service.submit({ events, delivery: checked.data, source: 'embedded', trust: 'operator' });
    },
    close,
  };
}
