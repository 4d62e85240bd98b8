import type { Registry } from 'prom-client';
import { type Endpoint, endpoint } from '../../kernel/endpoint.ts';

/** The route that Prometheus scrapes. */
export function metricsRoutes({
  registry,
  refreshGauges,
}: {
  readonly registry: Registry;
  /** Reads the gauges whose values are in the store; called before each scrape. */
  readonly refreshGauges: () => Promise<void>;
}): Endpoint[] {
  return [
    endpoint({
      method: 'GET',
      path: '/metrics',
      operationId: 'getMetrics',
      tag: 'Operation',
      summary: 'Get metrics in the format of Prometheus',
      description:
        'Counters count what the service has stored, not what it attempted. No metric has a label for tenants.',
      access: 'key',
      responses: { 200: { description: 'The metrics', type: 'text/plain' } },
      async handle() {
        await refreshGauges();
        return { status: 200, type: registry.contentType, body: await registry.metrics() };
      },
    }),
  ];
}
