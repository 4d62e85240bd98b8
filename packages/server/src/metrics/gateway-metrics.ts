import { Counter } from 'prom-client';
import type { KafkaGatewayObserver } from '../ingest/gateway/gateway.ts';
import type { ServiceMetrics } from './service-metrics.ts';

type Outcome = Parameters<Required<KafkaGatewayObserver>['onOutcome']>[0];
type Failure = Parameters<Required<KafkaGatewayObserver>['onFailure']>[0];

/** Counters of the gateway. Make one for each {@link ServiceMetrics}, and pass it to the gateway as `observer`. */
export class GatewayMetrics implements KafkaGatewayObserver {
  readonly #events: Counter;
  readonly #failures: Counter;

  constructor({ registry }: Pick<ServiceMetrics, 'registry'>) {
    const registers = [registry];
    this.#events = new Counter({
      name: 'tallystick_gateway_events_total',
      help: 'Events of HTTP requests that the broker has acknowledged; rejected ones become dead letters',
      labelNames: ['status'],
      registers,
    });
    for (const status of ['accepted', 'rejected']) this.#events.inc({ status }, 0);
    this.#failures = new Counter({
      name: 'tallystick_gateway_failures_total',
      help: 'Writes that the broker did not acknowledge; their requests were answered 503',
      labelNames: ['code'],
      registers,
    });
    for (const code of ['BROKER_UNAVAILABLE', 'BROKER_REFUSED']) this.#failures.inc({ code }, 0);
  }

  onOutcome(status: Outcome, count: number): void {
    this.#events.inc({ status }, count);
  }

  onFailure({ code }: Failure): void {
    this.#failures.inc({ code });
  }
}
