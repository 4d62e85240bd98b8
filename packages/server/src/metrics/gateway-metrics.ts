import { Counter } from 'prom-client';
import type { KafkaGatewayOptions } from '../ingest/gateway/gateway.ts';
import type { ServiceMetrics } from './service-metrics.ts';

/** Hooks that count what the gateway does, after the broker's acknowledgement; made once for each {@link ServiceMetrics}. */
export function gatewayHooks({
  registry,
}: ServiceMetrics): Required<Pick<KafkaGatewayOptions, 'onOutcome' | 'onFailure'>> {
  const registers = [registry];
  const events = new Counter({
    name: 'tallystick_gateway_events_total',
    help: 'Events of HTTP requests that the broker has acknowledged; rejected ones are on their way to the dead letters',
    labelNames: ['status'],
    registers,
  });
  for (const status of ['accepted', 'rejected']) events.inc({ status }, 0);
  const failures = new Counter({
    name: 'tallystick_gateway_failures_total',
    help: 'Writes to the broker that were not acknowledged; their requests were answered 503',
    labelNames: ['code'],
    registers,
  });
  for (const code of ['BROKER_UNAVAILABLE', 'BROKER_REFUSED']) failures.inc({ code }, 0);
  return {
    onOutcome: (status, count) => events.inc({ status }, count),
    onFailure: ({ code }) => failures.inc({ code }),
  };
}
