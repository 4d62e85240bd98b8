import { setTimeout as delay } from 'node:timers/promises';
import { uuidv7 } from '@tallystick/event';
import type { Random } from './draw.ts';
import type { Event, Publisher } from './publisher.ts';

export interface TrafficOptions {
  readonly publisher: Publisher;
  readonly tenants: readonly string[];
  /** Events a second, about, over all tenants. */
  readonly rate: number;
  /** The producers' clock, ms since the epoch. */
  readonly now: () => number;
  readonly random: Random;
}

/** Every how many batches one repeats events that were acknowledged before, as a producer does that got no answer. */
const repeatEvery = 12;
/** Of how many earlier events the repeated ones are drawn. */
const remembered = 400;

/** Producers that go on whatever happens, each waiting for its batch's acknowledgement before the next. */
export class Traffic {
  /** What every in-sync replica of the broker has, in the order of its answers: it must turn up in the chains, once. */
  readonly acknowledged: Event[] = [];
  /** What was handed to the broker, acknowledged or not: nothing else may be in the chains. */
  readonly sent = new Map<string, string>();
  /** Why a producer ended; empty while all goes well. */
  readonly faults: string[] = [];
  repeated = 0;
  readonly #options: TrafficOptions;
  readonly #memory: Event[] = [];
  readonly #running: Promise<void>[] = [];
  #stopped = false;

  constructor(options: TrafficOptions) {
    this.#options = options;
    for (const tenantId of options.tenants) this.#start(tenantId, Number.POSITIVE_INFINITY);
  }

  /** A tenant nobody has heard of before, whose first events arrive in the middle of what is going on. */
  addVisitor(tenantId: string, batches: number): void {
    this.#start(tenantId, batches);
  }

  /** Emits nothing more, and resolves when everything that was handed over is acknowledged. */
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
      const full = this.#memory.length >= remembered;
      this.#memory[full ? this.#options.random(0, remembered - 1) : this.#memory.length] = event;
    }
  }

  async #repeat(): Promise<void> {
    const { random, publisher } = this.#options;
    await publisher.publish([this.#memory[random(0, this.#memory.length - 1)]!]);
    this.repeated++;
  }
}
