import { setTimeout as delay } from 'node:timers/promises';
import { type AuditEmitter, AuditError, createAuditEmitter } from '@tallystick/sdk';
import { kafkaTransport } from '@tallystick/sdk/kafka';

/** One event of the campaign. Its content follows from these fields, so that it can be sent again unchanged. */
export interface Event {
  readonly id: string;
  readonly tenantId: string;
  /** The event's timestamp, ms since the epoch. */
  readonly at: number;
}

/** How long an emitter may take to close after its last event, ms. */
const closingMs = 60_000;

/** The services that emit. Each is an SDK emitter with the Kafka transport, without a spool, for a part of the tenants. */
export class Publisher {
  readonly #open: (service: number) => AuditEmitter;
  #emitters: AuditEmitter[];
  /** The service that emits a tenant's events, assigned in turn with its first event. */
  readonly #serviceOf = new Map<string, number>();
  /** Closing of the emitters that were replaced. */
  readonly #leaving: Promise<unknown>[] = [];

  constructor(services: number, brokers: string[], topic: string, now: () => number) {
    this.#open = (service) =>
      createAuditEmitter({
        service: `service-${service}`,
        transport: kafkaTransport({ brokers, topic, clientId: `service-${service}` }),
        clock: { now, schedule },
        // The campaign compares emitted events with stored ones.
        redaction: false,
        flushIntervalMs: 20,
        retryDelaysMs: [200, 500, 1_000],
        probeIntervalMs: 500,
        recordTimeoutMs: 2 ** 31 - 1,
        flushOnExit: false,
      });
    this.#emitters = Array.from({ length: services }, (_, service) => this.#open(service));
  }

  /** Resolves once all in-sync replicas have the events, in their order. Retries until that succeeds. */
  async publish(events: readonly Event[]): Promise<void> {
    await Promise.all(events.map((event) => this.#record(event)));
  }

  /** Replaces all emitters by new ones, which see the topic's current partitions. */
  redeploy(): void {
    const old = this.#emitters;
    this.#emitters = old.map((_, service) => this.#open(service));
    for (const emitter of old) this.#leaving.push(emitter.close({ deadlineMs: closingMs }));
  }

  /** Closes all emitters: each producer declares its last number. */
  async close(): Promise<void> {
    await Promise.all([
      ...this.#leaving,
      ...this.#emitters.map((emitter) => emitter.close({ deadlineMs: closingMs })),
    ]);
  }

  async #record({ id, tenantId, at }: Event): Promise<void> {
    for (;;) {
      try {
        await this.#emitter(tenantId).record({
          auditId: id,
          tenantId,
          timestamp: at,
          eventType: 'access.granted',
          actorType: 'service',
          actorId: actorOf(id),
          metadata: { filler: id.repeat(4) },
        });
        return;
      } catch (error) {
        // No broker has answered for a while. The event may be stored nevertheless; its id makes it safe to send it again.
        if (!(error instanceof AuditError) || error.outcome !== 'unknown') throw error;
        await delay(500);
      }
    }
  }

  #emitter(tenantId: string): AuditEmitter {
    const service = this.#serviceOf.get(tenantId) ?? this.#serviceOf.size % this.#emitters.length;
    this.#serviceOf.set(tenantId, service);
    return this.#emitters[service]!;
  }
}

/** The actor follows from the event's id, so that the check notices two events that have swapped their contents. */
export function actorOf(id: string): string {
  return `actor of ${id}`;
}

function schedule(ms: number, task: () => void, keepAlive: boolean): () => void {
  const timer = setTimeout(task, ms);
  if (!keepAlive) timer.unref();
  return () => clearTimeout(timer);
}
