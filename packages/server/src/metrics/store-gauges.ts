import { Gauge } from 'prom-client';
import { countDeliveries } from '../approvals/webhook/delivery-rows.ts';
import type { Followers } from '../followers/followers.ts';
import { countOpenIntents } from '../followers/open-intents/list.ts';
import { producerSums } from '../operations/producers.ts';
import { type Database, writer } from '../store/database.ts';
import { readSql } from '../store/sql.ts';
import type { ServiceMetrics } from './service-metrics.ts';

const countDeadLetters = readSql('count-dead-letters');
const checkpointLag = readSql('checkpoint-lag');

/** How long values from the store are reused, ms: many scrapers must not put a load on the store. */
const freshMs = 5_000;
/** The same for the accounts of producers: their query reads the whole table. */
const accountsFreshMs = 60_000;

/** What the gauges read. */
export interface GaugeSources {
  readonly database: Database;
  readonly writer: { readonly queued: number };
  readonly logs: { readonly stopped: ReadonlyMap<string, string> };
  readonly followers?: Pick<Followers, 'health'> | undefined;
}

/**
 * Gauges that are read at each scrape: the writer's queue, open dead letters, webhooks, logs that wait for a checkpoint, stopped
 * chains, and numbers that producers have not accounted for.
 *
 * @returns reads the gauges; to be called before each scrape
 */
export function addStoreGauges(metrics: ServiceMetrics, sources: GaugeSources): () => Promise<void> {
  const gauge = (name: string, help: string) => new Gauge({ name, help, registers: [metrics.registry] });
  const queued = gauge('tallystick_writer_queue_submissions', 'Submissions that wait for a transaction');
  const stopped = gauge('tallystick_chains_stopped', 'Chains that contradict a signed checkpoint');
  const deadLetters = gauge(
    'tallystick_dead_letters_open',
    'Refused events that are neither retried nor purged',
  );
  const webhooks = gauge(
    'tallystick_webhooks_waiting',
    'Messages about approvals that wait for their endpoint',
  );
  const deadWebhooks = gauge(
    'tallystick_webhooks_dead',
    'Messages about approvals that the service has given up to deliver',
  );
  const unsigned = gauge('tallystick_logs_unsigned', 'Logs that have grown since their last checkpoint');
  const age = gauge(
    'tallystick_checkpoint_age_seconds',
    'Age of the last checkpoint of the log that has waited longest with unsigned records; 0 where no log waits',
  );
  const open = gauge(
    'tallystick_producer_open_numbers',
    "Producers' numbers that are neither chained, refused nor declared lost",
  );
  const unclosed = gauge(
    'tallystick_producers_unclosed',
    'Accounts of producers that have been silent for an hour and did not send their last number',
  );
  const lagRecords = new Gauge({
    name: 'tallystick_follower_lag_records',
    help: 'Records that a follower has not read',
    labelNames: ['follower'],
    registers: [metrics.registry],
  });
  const lagSeconds = new Gauge({
    name: 'tallystick_follower_lag_seconds',
    help: 'Age of the oldest record that a follower has not read',
    labelNames: ['follower'],
    registers: [metrics.registry],
  });
  const stoppedTenants = new Gauge({
    name: 'tallystick_follower_stopped_tenants',
    help: 'Tenants for which a follower has stopped',
    labelNames: ['follower'],
    registers: [metrics.registry],
  });
  const readFollowers = () => {
    for (const { name: follower, records, seconds, stopped } of sources.followers?.health() ?? []) {
      lagRecords.set({ follower }, records);
      lagSeconds.set({ follower }, seconds);
      stoppedTenants.set({ follower }, stopped);
    }
  };
  const unresolved = gauge(
    'tallystick_intents_unresolved',
    'Actions of agents whose end is missing, as the chains say',
  );
  const unexplained = gauge(
    'tallystick_intents_unexplained',
    'Actions of agents whose intent is missing, as the chains say',
  );
  let readAt = Number.NEGATIVE_INFINITY;
  let accountsReadAt = Number.NEGATIVE_INFINITY;
  // While the store is unavailable the gauges have no value: an outdated value would look like a current one.
  const readOrRemove = async (gauges: readonly Gauge[], read: () => Promise<void>) => {
    await read().catch(() => {
      for (const outdated of gauges) outdated.remove();
    });
  };
  return async () => {
    const { database } = sources;
    queued.set(sources.writer.queued);
    stopped.set(sources.logs.stopped.size);
    readFollowers();
    if (performance.now() - readAt < freshMs) return;
    readAt = performance.now();
    await readOrRemove([deadLetters, unsigned, age, webhooks, deadWebhooks], async () => {
      const [count] = await database.query<{ open: number }>(writer, countDeadLetters, []);
      const [lag] = await database.query<{ unsigned_logs: number; age: number }>(writer, checkpointLag, []);
      deadLetters.set(count!.open);
      unsigned.set(lag!.unsigned_logs);
      age.set(lag!.age);
      const { waiting, dead } = await countDeliveries(database);
      webhooks.set(waiting);
      deadWebhooks.set(dead);
    });
    if (performance.now() - accountsReadAt < accountsFreshMs) return;
    await readOrRemove([open, unclosed, unresolved, unexplained], async () => {
      const intents = await countOpenIntents(database);
      unresolved.set(intents.unresolved);
      unexplained.set(intents.unexplained);
      const sums = await producerSums(database);
      accountsReadAt = performance.now();
      open.set(sums.openNumbers);
      unclosed.set(sums.unclosed);
    });
  };
}
