import type { Ids } from '../platform/ids.ts';
import type { Lineage } from '../platform/lineage.ts';
import type { TopicBus } from '../platform/topics.ts';
import type { CorpusAlert, CorpusFinding, CorpusTelemetry } from './corpus.ts';

/** Publishes the corpus as connectors would: each message begins a trace of its own. */
export class Feed {
  readonly #topics: TopicBus;
  readonly #ids: Ids;

  constructor(topics: TopicBus, ids: Ids) {
    this.#topics = topics;
    this.#ids = ids;
  }

  async alert({ name, tenantId, source, payload }: CorpusAlert): Promise<void> {
    const value = { source, received_at: '2026-11-20T10:00:00Z', payload };
    await this.#topics.publish('alerts.raw', { key: name, lineage: this.newLineage(tenantId), value });
  }

  async finding({ name, tenantId, source, payload }: CorpusFinding): Promise<void> {
    const value = { received_at: '2026-11-20T07:00:00Z', payload };
    await this.#topics.publish(`ctem.raw.${source}`, {
      key: name,
      lineage: this.newLineage(tenantId),
      value,
    });
  }

  async telemetry({ name, tenantId, telemetry }: CorpusTelemetry): Promise<void> {
    await this.#topics.publish('telemetry.raw', {
      key: name,
      lineage: this.newLineage(tenantId),
      value: telemetry,
    });
  }

  newLineage(tenantId: string): Lineage {
    return {
      tenantId,
      correlationId: this.#ids.next('flow'),
      traceId: this.#ids.traceId(),
      spanId: this.#ids.spanId(),
    };
  }
}
