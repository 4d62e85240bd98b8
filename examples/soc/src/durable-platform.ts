import { systemClock } from '@tallystick/sdk';
import { DurableDocuments } from './platform/durable/durable-documents.ts';
import { DurableTopics } from './platform/durable/durable-topics.ts';
import { EventJournal } from './platform/durable/event-journal.ts';
import { EventRelay } from './platform/durable/event-relay.ts';
import { DurableStore } from './platform/durable/store.ts';
import { createIds } from './platform/ids.ts';
import type { SocEmitter } from './platform/recorder.ts';
import { type ServiceName, Soc, type SocOptions } from './soc.ts';

export interface DurablePlatformOptions
  extends Omit<SocOptions, 'topics' | 'ids' | 'clock' | 'units' | 'documents' | 'auditOf'> {
  /** Where the platform keeps its documents, its messages and the records that are not yet delivered. */
  readonly directory: string;
  /** The emitter of each service. The caller closes it after {@link DurablePlatform.close}. */
  readonly emitterOf: (service: string) => SocEmitter;
}

/** All services in one process, over a store on disk: a kill of the process loses nothing that happened, and doubles nothing. */
export class DurablePlatform {
  readonly store: DurableStore;
  readonly topics: DurableTopics;
  readonly ids = createIds(systemClock);
  readonly soc: Soc;
  readonly relay: EventRelay;

  constructor({ directory, emitterOf, ...options }: DurablePlatformOptions) {
    const store = new DurableStore(directory);
    this.store = store;
    this.topics = new DurableTopics(store);
    this.relay = new EventRelay(store, emitterOf, options.onError);
    const auditOf = (service: ServiceName) =>
      new EventJournal({ service, store, ids: this.ids, clock: systemClock, emitter: emitterOf(service) })
        .emitter;
    this.soc = new Soc({
      ...options,
      topics: this.topics,
      ids: this.ids,
      clock: systemClock,
      units: store,
      documents: (kind) => new DurableDocuments(store, kind),
      auditOf,
    });
  }

  /** Ends the services, and waits until the audit service has every record. */
  async close(): Promise<void> {
    await this.soc.stop();
    await this.topics.close();
    await this.relay.idle();
    this.relay.close();
    this.store.close();
  }
}
