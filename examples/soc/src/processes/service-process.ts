import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { createClient } from '@tallystick/client';
import { createAuditEmitter, systemClock } from '@tallystick/sdk';
import { httpTransport } from '@tallystick/sdk/http';
import type { Actuators } from '../actuators/actuators.ts';
import type { ModelCatalog } from '../models/model-catalog.ts';
import { deadLetterRecords } from '../platform/dead-letter-records.ts';
import { DurableDocuments } from '../platform/durable/durable-documents.ts';
import { EventJournal } from '../platform/durable/event-journal.ts';
import { EventRelay } from '../platform/durable/event-relay.ts';
import { DurableStore } from '../platform/durable/store.ts';
import { createIds } from '../platform/ids.ts';
import { DurableKafkaTopics } from '../platform/kafka/durable-kafka-topics.ts';
import { Recorder, type SocEmitter, taxonomy } from '../platform/recorder.ts';
import { TenantDirectory } from '../platform/tenants.ts';
import type { ServiceName } from '../soc.ts';
import { CallClient } from './calls/call-client.ts';
import { startCallServer } from './calls/call-server.ts';
import { compositions } from './compositions.ts';
import { type PlatformSettings, type ProcessSecrets, thresholdsOf } from './process-settings.ts';
import type { ProcessStatus } from './process-status.ts';

/** How long a process that ends waits for the broker, and then for the audit service. What they do not have stays on disk. */
const drainMs = 10_000;

export interface ServiceProcessOptions {
  readonly service: ServiceName;
  readonly platform: PlatformSettings;
  readonly secrets: ProcessSecrets;
  /** @defaultValue those that the settings of the platform name */
  readonly catalog?: ModelCatalog | undefined;
  /** @defaultValue a simulated plant */
  readonly actuators?: Actuators | undefined;
  /** Called with faults that the process survives. */
  readonly onError: (error: unknown) => void;
}

export interface RunningProcess {
  readonly status: () => ProcessStatus;
  /**
   * Finishes what is being handled, delivers what is stored, and declares the end of the producer.
   *
   * @returns how many messages and records stay on disk, for the next start
   */
  close(): Promise<number>;
}

/**
 * Runs one service in this process, over Kafka and a store of its own: `{directory}/{service}`. What the service changes while it handles
 * a message takes effect together, so a kill of the process loses nothing that happened and doubles nothing.
 */
export async function runService(options: ServiceProcessOptions): Promise<RunningProcess> {
  const { service, platform, secrets, catalog, actuators, onError } = options;
  const { kafka, audit, ports } = platform;
  const directory = join(platform.directory, service);
  const settings = thresholdsOf(platform);
  const tenants = new TenantDirectory(platform.tenants);
  const ids = createIds(systemClock);
  const store = new DurableStore(directory);
  // Without a spool of the SDK: the store keeps each event until the audit service has it, together with what the event is about.
  const emitter = createAuditEmitter({
    service,
    taxonomy,
    transport: httpTransport({ url: audit.url, apiKey: secrets.apiKey }),
    flushIntervalMs: 20,
    logEvents: false,
    flushOnExit: false,
    onError,
  });
  const socEmitter = emitter as unknown as SocEmitter;
  const relay = new EventRelay(store, () => socEmitter, onError);
  const journal = new EventJournal({ service, store, ids, clock: systemClock, emitter: socEmitter }).emitter;
  const topics = new DurableKafkaTopics(store, { ...kafka, clientId: `soc-${service}`, onError });
  const recorder = new Recorder(service, ids, journal);
  topics.recordDeadLetter = deadLetterRecords(() => recorder, tenants);

  const running = await compositions[service]({
    ...{ topics, ids, clock: systemClock, settings, tenants, audit: journal, units: store, onError },
    ...{ directory, catalog, actuators, models: platform.models },
    documents: (kind) => new DurableDocuments(store, kind),
    remote: (other) => new CallClient({ url: `http://127.0.0.1:${ports[other]}`, key: secrets.callKey }),
    desk: createClient({ url: audit.url, apiKey: secrets.apiKey }).approvals,
    newLineage: (tenantId) => ({
      ...{ tenantId, correlationId: ids.next('flow') },
      ...{ traceId: ids.traceId(), spanId: ids.spanId() },
    }),
  });

  const startedAs = randomUUID();
  let isReady = false;
  const status = (): ProcessStatus => ({
    startedAs,
    groups: topics.groups,
    moved: topics.moved,
    busy: running.busy?.() ?? 0,
    open: running.open?.() ?? 0,
    outgoing: topics.outgoing,
    records: relay.waiting,
  });
  const server = await startCallServer({
    port: ports[service],
    key: secrets.callKey,
    calls: { ...running.calls, status: async () => status() },
    isReady: () => isReady,
  });
  await running.start();
  isReady = true;
  return {
    status,
    async close() {
      isReady = false;
      await running.stop();
      await server.close();
      await soon(topics.idle());
      await topics.close();
      await soon(relay.idle());
      const left = topics.outgoing + relay.waiting;
      relay.close();
      await emitter.close();
      store.close();
      return left;
    },
  };
}

async function soon(work: Promise<void>): Promise<void> {
  const timer = new AbortController();
  await Promise.race([work, pause(drainMs, undefined, { signal: timer.signal }).catch(() => undefined)]);
  timer.abort();
}
