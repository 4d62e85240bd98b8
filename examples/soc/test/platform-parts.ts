import type { AuditEmitter, Clock } from '@tallystick/sdk';
import { createTestAudit, type TestAudit } from '@tallystick/sdk/testing';
import { createIds } from '../src/platform/ids.ts';
import { MemoryTopics } from '../src/platform/memory-topics.ts';
import { seededRandom } from '../src/platform/random.ts';
import { taxonomy } from '../src/platform/recorder.ts';
import type { ServiceParts } from '../src/platform/service.ts';
import { defaultSettings } from '../src/platform/settings.ts';
import { TenantDirectory } from '../src/platform/tenants.ts';
import type { Message, Topic, Topics } from '../src/platform/topics.ts';

/** A clock that only a test moves. */
export class TestClock implements Clock {
  #now: number;
  readonly #timers: { at: number; task: () => void }[] = [];

  constructor(now = Date.parse('2026-11-20T10:00:00Z')) {
    this.#now = now;
  }

  now(): number {
    return this.#now;
  }

  get pendingTimers(): number {
    return this.#timers.length;
  }

  schedule(ms: number, task: () => void): () => void {
    const timer = { at: this.#now + ms, task };
    this.#timers.push(timer);
    return () => {
      const at = this.#timers.indexOf(timer);
      if (at >= 0) this.#timers.splice(at, 1);
    };
  }

  /** Moves the time and runs the timers that are due, the earliest first. */
  advance(ms: number): void {
    const end = this.#now + ms;
    for (;;) {
      const due = this.#timers.toSorted((a, b) => a.at - b.at)[0];
      if (due === undefined || due.at > end) break;
      this.#timers.splice(this.#timers.indexOf(due), 1);
      this.#now = due.at;
      due.task();
    }
    this.#now = end;
  }
}

/** Parts of a service for tests: topics in memory, predictable ids, a clock of the test, and an emitter whose events are kept. */
export interface TestParts extends ServiceParts {
  readonly topics: MemoryTopics;
  readonly clock: TestClock;
  readonly trail: TestAudit<typeof taxonomy>;
  /** All messages of a topic, in order. */
  collect<K extends Topic>(topic: K): Promise<Message<Topics[K]>[]>;
}

export function testParts({ audit = true, now }: { audit?: boolean; now?: string } = {}): TestParts {
  const topics = new MemoryTopics();
  const clock = new TestClock(now === undefined ? undefined : Date.parse(now));
  const trail = createTestAudit({
    taxonomy,
    onError: (error) => {
      throw error;
    },
  });
  return {
    topics,
    clock,
    ids: createIds(clock, seededRandom(1)),
    settings: structuredClone(defaultSettings),
    tenants: new TenantDirectory([
      { id: 'acme', tier: 'premium', shadow: false },
      { id: 'globex', tier: 'standard', shadow: false },
      { id: 'shady', tier: 'trial', shadow: true },
    ]),
    trail,
    audit: audit ? (trail.emitter as unknown as AuditEmitter<typeof taxonomy, undefined>) : undefined,
    async collect(topic) {
      const messages: Message<Topics[typeof topic]>[] = [];
      await topics.subscribe(topic, 'test', async (message) => void messages.push(message));
      return messages;
    },
  };
}

/** The lineage of something that just arrived. */
export function newLineage(tenantId = 'acme') {
  return { tenantId, correlationId: 'correlation-1', traceId: '0af7651916cd43dd8448eb211c80319c' };
}
