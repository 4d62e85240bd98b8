import type { Endpoint } from '../kernel/endpoint.ts';
import type { HttpLimits } from '../kernel/services.ts';
import { apiKeyEndpoints } from './api-keys.ts';
import { bundleEndpoint } from './bundle.ts';
import { deadLetterEndpoints } from './dead-letters.ts';
import { documentEndpoints } from './documents.ts';
import { eventEndpoints } from './events.ts';
import { healthEndpoints } from './health.ts';
import { ingestEndpoints } from './ingest.ts';
import { logEndpoints } from './logs.ts';
import { metricsEndpoint } from './metrics.ts';
import { producerEndpoints } from './producers.ts';
import { receiptEndpoint } from './receipt.ts';
import { streamEndpoint } from './stream.ts';
import { tenantEndpoint } from './tenants.ts';
import { verifyEndpoint } from './verify.ts';

/** Every route, in the order in which the document shows them. */
export function endpoints(limits: HttpLimits): readonly Endpoint[] {
  return [
    ...ingestEndpoints(limits),
    ...eventEndpoints,
    streamEndpoint,
    verifyEndpoint,
    ...logEndpoints,
    receiptEndpoint,
    bundleEndpoint,
    tenantEndpoint,
    ...producerEndpoints,
    ...deadLetterEndpoints,
    ...apiKeyEndpoints,
    ...healthEndpoints,
    metricsEndpoint,
    ...documentEndpoints,
  ];
}
