import { setTimeout as delay } from 'node:timers/promises';
import { type AuditEmitter, AuditError, createAuditEmitter } from '@tallystick/sdk';
import { kafkaTransport } from '@tallystick/sdk/kafka';

/** One event of the campaign: all that it holds follows from these, so that it can be repeated to the letter. */
export interface Event {
  readonly id: string;
  readonly tenantId: string;
  /** When it happened, ms since the epoch. */
  readonly at: number;
}

/** How long an emitter may take to close after the last event, ms. */
const closingMs = 60_000;

/** The services that emit: each an emitter of the SDK on Kafka, without a spool, for a part of the tenants. */
export class Publisher {
  readonly #open: (service: number) => AuditEmitter;
  #emitters: AuditEmitter[];
  /** Which of the services a tenant's events come from; given at its first event, in turn. */
  readonly #serviceOf = new Map<string, number>();
  /** Emitters that were replaced, until they have closed. */
  readonly #leaving: Promise<unknown>[] = [];

  constructor(services: number, brokers: string[], topic: string, now: () => number) {
    this.#open = (service) =>
      createAuditEmitter({
        service: `service-${service}`,
        transport: kafkaTransport({ brokers, topic, clientId: `service-${service}` }),
        clock: { now, schedule },
        // What is emitted is compared with what is stored.
        redaction: false,
        flushIntervalMs: 20,
        retryDelaysMs: [200, 500, 1_000],
        probeIntervalMs: 500,
        recordTimeoutMs: 2 ** 31 - 1,
        flushOnExit: false,
      });
    this.#emitters = Array.from({ length: services }, (_, service) => this.#open(service));
  }

  /** Resolves once every in-sync replica has the events, in their order; keeps trying for as long as that takes. */
  async publish(events: readonly Event[]): Promise<void> {
    await Promise.all(events.map((event) => this.#record(event)));
  }

  /** New processes take the place of the services', which close: they see the topic as it is now. */
  redeploy(): void {
    const old = this.#emitters;
    this.#emitters = old.map((_, service) => this.#open(service));
    for (const emitter of old) this.#leaving.push(emitter.close({ deadlineMs: closingMs }));
  }

  /** Declares the end of every producer. */
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
        // No broker has answered for a while. The event may be on its way all the same; under its id it may go again.
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

/** An event's content follows from its id, so that one which swapped contents with another is noticed. */
export function actorOf(id: string): string {
  return `actor of ${id}`;
}

function schedule(ms: number, task: () => void, keepAlive: boolean): () => void {
  const timer = setTimeout(task, ms);
  if (!keepAlive) timer.unref();
  return () => clearTimeout(timer);
}
