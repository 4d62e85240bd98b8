import { endpoint } from '../kernel/endpoint.ts';

export const metricsEndpoint = endpoint({
  method: 'GET',
  path: '/metrics',
  operationId: 'getMetrics',
  tag: 'Operation',
  summary: 'Get metrics in the format of Prometheus',
  description: 'Counts what was stored, not what was tried. Nothing is labelled by tenant.',
  access: 'key',
  responses: { 200: { description: 'The metrics', type: 'text/plain' } },
  async handle({ services }) {
    await services.refreshGauges();
    const { registry } = services.metrics;
    return { status: 200, type: registry.contentType, body: await registry.metrics() };
  },
});
