import { setTimeout as delay } from 'node:timers/promises';
import { uuidv7 } from '@tallystick/event';
import type { Random } from './draw.ts';
import type { Event, Publisher } from './publisher.ts';

export interface TrafficOptions {
  readonly publisher: Publisher;
  readonly tenants: readonly string[];
  /** Events per second of all tenants together, about. */
  readonly rate: number;
  /** The producers' clock, ms since the epoch. */
  readonly now: () => number;
  readonly random: Random;
}

/** After so many batches, a producer sends an acknowledged event again, like a producer that got no answer. */
const repeatEvery = 12;
/** How many acknowledged events the repeated ones are drawn from. */
const memorySize = 400;

/** One producer for each tenant. It sends its next batch once the last one is acknowledged, whatever faults happen. */
export class Traffic {
  /** Events that all in-sync replicas have, in the order of the acknowledgements. Each must be in the chains, once. */
  readonly acknowledged: Event[] = [];
  /** The tenant of each event that was sent, acknowledged or not, by id. The chains must contain no other events. */
  readonly sent = new Map<string, string>();
  /** Errors that have ended a producer; must stay empty. */
  readonly faults: string[] = [];
  /** Events that were sent again after their acknowledgement. */
  repeated = 0;
  readonly #options: TrafficOptions;
  readonly #memory: Event[] = [];
  readonly #running: Promise<void>[] = [];
  #stopped = false;

  constructor(options: TrafficOptions) {
    this.#options = options;
    for (const tenantId of options.tenants) this.#start(tenantId, Number.POSITIVE_INFINITY);
  }

  /** Adds a new tenant, whose first events arrive during a fault. */
  addVisitor(tenantId: string, batches: number): void {
    this.#start(tenantId, batches);
  }

  /** Sends nothing more, and resolves when all events are acknowledged. */
  async stop(): Promise<void> {
    this.#stopped = true;
    await Promise.all(this.#running);
  }

  #start(tenantId: string, batches: number): void {
    const running = this.#produce(tenantId, batches).catch((error: unknown) => {
      this.faults.push(`the producer of ${tenantId} ended: ${error}`);
    });
    this.#running.push(running);
  }

  async #produce(tenantId: string, batches: number): Promise<void> {
    const { random, rate, tenants } = this.#options;
    // Batches of 1 to 9 events, 5 on average.
    const pauseMs = (5 * 1_000 * tenants.length) / rate;
    for (let batch = 0; batch < batches && !this.#stopped; batch++) {
      await delay(random(0, 2 * pauseMs));
      if (this.#stopped) return;
      const at = this.#options.now();
      await this.#publish(Array.from({ length: random(1, 9) }, () => ({ id: uuidv7(at), tenantId, at })));
      if (batch % repeatEvery === repeatEvery - 1) await this.#repeat();
    }
  }

  async #publish(events: readonly Event[]): Promise<void> {
    for (const { id, tenantId } of events) this.sent.set(id, tenantId);
    await this.#options.publisher.publish(events);
    for (const event of events) {
      this.acknowledged.push(event);
      const full = this.#memory.length >= memorySize;
      this.#memory[full ? this.#options.random(0, memorySize - 1) : this.#memory.length] = event;
    }
  }

  async #repeat(): Promise<void> {
    const { random, publisher } = this.#options;
    await publisher.publish([this.#memory[random(0, this.#memory.length - 1)]!]);
    this.repeated++;
  }
}
