import { Gauge } from 'prom-client';
import type { AuditService } from '../app.ts';
import { producerSums } from '../operations/producers.ts';
import { writer } from '../store/database.ts';
import { readSql } from '../store/sql.ts';
import type { ServiceMetrics } from './service-metrics.ts';

const countDeadLetters = readSql('count-dead-letters');
const checkpointLag = readSql('checkpoint-lag');

/** How long what was asked of the store stands, ms: scrapes by many must not become a load. */
const freshMs = 5_000;
/** The same for the accounts of producers, which are read through as a whole. */
const accountsFreshMs = 60_000;

/**
 * Gauges that are read when somebody scrapes: the queue, what was refused, what waits to be signed, what is
 * stopped, what producers have not accounted for.
 *
 * @returns reads them; to be called before each scrape
 */
export function addStoreGauges(metrics: ServiceMetrics, service: AuditService): () => Promise<void> {
  const gauge = (name: string, help: string) => new Gauge({ name, help, registers: [metrics.registry] });
  const queued = gauge('tallystick_writer_queue_submissions', 'Submissions that wait for a transaction');
  const stopped = gauge('tallystick_chains_stopped', 'Chains that contradict what was signed for them');
  const letters = gauge('tallystick_dead_letters_open', 'Refused events that nobody has settled');
  const unsigned = gauge('tallystick_logs_unsigned', 'Logs that have grown since their last checkpoint');
  const age = gauge(
    'tallystick_checkpoint_age_seconds',
    'Age of the last checkpoint of the log that has waited longest with unsigned records; 0 where none waits',
  );
  const open = gauge(
    'tallystick_producer_open_numbers',
    "Producers' numbers of which nobody has said what became of them",
  );
  const unclosed = gauge(
    'tallystick_producers_unclosed',
    'Accounts of producers that fell silent for an hour without saying their last number',
  );
  let readAt = Number.NEGATIVE_INFINITY;
  let accountsReadAt = Number.NEGATIVE_INFINITY;
  // The store is away: no value is better than one that has stopped being true.
  const orStale = async (gauges: readonly Gauge[], read: () => Promise<void>) => {
    await read().catch(() => {
      for (const stale of gauges) stale.remove();
    });
  };
  return async () => {
    const { database } = service;
    queued.set(service.writer.queued);
    stopped.set(service.logs.stopped.size);
    if (performance.now() - readAt < freshMs) return;
    readAt = performance.now();
    await orStale([letters, unsigned, age], async () => {
      const [count] = await database.query<{ open: number }>(writer, countDeadLetters, []);
      const [lag] = await database.query<{ unsigned_logs: number; age: number }>(writer, checkpointLag, []);
      letters.set(count!.open);
      unsigned.set(lag!.unsigned_logs);
      age.set(lag!.age);
    });
    if (performance.now() - accountsReadAt < accountsFreshMs) return;
    await orStale([open, unclosed], async () => {
      const sums = await producerSums(database);
      accountsReadAt = performance.now();
      open.set(sums.openNumbers);
      unclosed.set(sums.unclosed);
    });
  };
}
