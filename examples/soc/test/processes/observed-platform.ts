import { join } from 'node:path';
import { type Client, createClient } from '@tallystick/client';
import type { Approval, EventView, ProducerAccount } from '@tallystick/protocol';
import { systemClock } from '@tallystick/sdk';
import { AuditService, serveHttp } from '@tallystick/server';
import { prepareEmbeddedStore, sharedKafka } from '@tallystick/testing';
import { Feed } from '../../src/corpus/feed.ts';
import { generateAlerts } from '../../src/corpus/generator.ts';
import type { StoredInvestigation } from '../../src/orchestrator/investigation-states.ts';
import { DurableDocuments } from '../../src/platform/durable/durable-documents.ts';
import { DurableStore } from '../../src/platform/durable/store.ts';
import { createIds } from '../../src/platform/ids.ts';
import { KafkaTopics } from '../../src/platform/kafka/kafka-topics.ts';
import { SeparateProcesses } from '../../src/processes/separate-processes.ts';
import type { Happened } from '../kills/compare.ts';
import { ObserverLog } from '../kills/observer-log.ts';
import { People } from '../kills/people.ts';

const tenants = ['acme', 'globex'];

/** The services as separate processes over a real broker and a real audit service, with observers, and people who decide. */
export class ObservedPlatform {
  readonly log: ObserverLog;
  readonly feed: Feed;
  /** Processes that ended by themselves or were killed, and how. */
  readonly restarts: string[] = [];
  /** What the processes have written. */
  readonly written: string[] = [];
  readonly #directory: string;
  readonly #topics: KafkaTopics;
  readonly #alerts: ReturnType<typeof generateAlerts>;
  #admin!: Client;
  #people!: People;
  #processes!: SeparateProcesses;
  #closeService!: () => Promise<void>;

  private constructor(directory: string, brokers: readonly string[], prefix: string, seed: number) {
    this.#directory = directory;
    this.log = new ObserverLog(join(directory, 'observed'));
    this.#topics = new KafkaTopics({ brokers, prefix });
    this.feed = new Feed(this.#topics, createIds(systemClock));
    this.#alerts = generateAlerts({ seed, tenants, from: Date.parse('2026-11-20T10:00:00Z') });
  }

  /** @param seed of the alerts */
  static async start(directory: string, seed: number): Promise<ObservedPlatform> {
    const data = join(directory, 'audit');
    const soc = join(directory, 'soc');
    const prefix = `soc-${process.pid}-${seed}.`;
    const { bootstrap: brokers } = await sharedKafka();
    await prepareEmbeddedStore(data);
    const service = await AuditService.open({
      store: { directory: data },
      signerDirectory: join(directory, 'signer'),
      logName: 'processes.example.com',
    });
    const server = await serveHttp(service, { port: 0, logger: false });
    const { url } = server;
    const clientOf = async (name: string, scopes: Parameters<typeof service.keys.create>[0]['scopes']) => {
      const { key } = await service.keys.create({ name, subject: name, scopes });
      return createClient({ url, apiKey: key });
    };
    const platform = new ObservedPlatform(soc, brokers, prefix, seed);
    platform.#closeService = async () => {
      await server.close();
      await service.close();
    };
    platform.#admin = await clientOf('admin', ['admin']);
    const persons = await Promise.all(['mia', 'jo'].map((name) => clientOf(name, ['approvals:decide'])));
    platform.#processes = await SeparateProcesses.start({
      admin: platform.#admin,
      program: join(import.meta.dirname, 'observed-service.ts'),
      platform: {
        kafka: { brokers: [...brokers], prefix, sessionTimeoutMs: 2_000 },
        audit: { url },
        directory: soc,
        tenants: tenants.map((id) => ({ id, tier: 'premium', shadow: false })),
        thresholds: {
          'governance.accumulation.maxActions': 1_000_000,
          'response.retryMs': 100,
          'router.quotasPerHour.premium': 1_000_000,
          // Breakers open and close many times.
          'router.breaker.failures': 2,
          'router.breaker.openMs': 50,
        },
      },
      onRestart: (name, how) => void platform.restarts.push(`${name} ${how}`),
      onOutput: (_service, text) => void platform.written.push(text),
    });
    platform.#people = new People(persons, tenants);
    return platform;
  }

  get processes(): SeparateProcesses {
    return this.#processes;
  }

  /** Accounts of the services' producers. Those that were silent for a second count as ended. */
  async producers(): Promise<ProducerAccount[]> {
    const accounts: ProducerAccount[] = [];
    const query = { all: true, silent_seconds: 1 };
    for await (const account of this.#admin.producers.listAll(query)) accounts.push(account);
    return accounts;
  }

  /** Alerts come in. */
  async arrive(count: number): Promise<void> {
    for (let number = 0; number < count; number++) {
      const alert = this.#alerts.next().value;
      await this.feed.alert(alert);
      this.log.write({ what: 'fed', name: alert.name });
    }
  }

  /** Resolves when everything is handled, decided, reviewed and recorded. */
  async finish(): Promise<void> {
    // People decide beside it, and one decision may lead to the next.
    do await this.#processes.settled();
    while ((await this.#processes.openPlans()) > 0);
    await this.#processes.call('batch-scheduler', 'flush');
    await this.#processes.settled();
  }

  /** Stops the processes. @returns how they ended, what happened, what the trail says, and the accounts of the producers */
  async stop() {
    const stopped = await this.#processes.stop();
    await this.#people.stop();
    await this.#topics.close();
    const producers = await this.producers();
    const events: EventView[] = [];
    const approvals: Approval[] = [];
    for (const tenant_id of tenants) {
      for await (const event of this.#admin.events.listAll({ tenant_id, order: 'asc' })) events.push(event);
      for await (const approval of this.#admin.approvals.listAll({ tenant_id })) approvals.push(approval);
    }
    await this.#closeService();
    const store = new DurableStore(join(this.#directory, 'orchestrator'));
    const stored = new DurableDocuments<StoredInvestigation>(store, 'investigations');
    const investigations = (await Promise.all(tenants.map((id) => stored.list(id)))).flat();
    store.close();
    const happened: Happened = {
      observed: this.log.read(),
      investigations: investigations.map(({ investigation }) => investigation),
      approvals: approvals.length,
    };
    return { stopped, happened, events, producers };
  }
}
