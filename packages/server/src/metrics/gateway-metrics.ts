import { Counter } from 'prom-client';
import type { KafkaGatewayObserver } from '../ingest/gateway/gateway.ts';
import type { ServiceMetrics } from './service-metrics.ts';

/** Counts what the gateway does, after the broker's acknowledgement. Make one per {@link ServiceMetrics}. */
export class GatewayMetrics {
  /** For the options of the gateway. */
  readonly observer: Required<KafkaGatewayObserver>;

  constructor({ registry }: Pick<ServiceMetrics, 'registry'>) {
    const registers = [registry];
    const events = new Counter({
      name: 'tallystick_gateway_events_total',
      help: 'Events of HTTP requests that the broker has acknowledged; rejected ones become dead letters',
      labelNames: ['status'],
      registers,
    });
    for (const status of ['accepted', 'rejected']) events.inc({ status }, 0);
    const failures = new Counter({
      name: 'tallystick_gateway_failures_total',
      help: 'Writes that the broker did not acknowledge; their requests were answered 503',
      labelNames: ['code'],
      registers,
    });
    for (const code of ['BROKER_UNAVAILABLE', 'BROKER_REFUSED']) failures.inc({ code }, 0);
    this.observer = {
      outcome: (status, count) => events.inc({ status }, count),
      failure: ({ code }) => failures.inc({ code }),
    };
  }
}
