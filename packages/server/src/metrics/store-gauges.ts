import { Gauge } from 'prom-client';
import { readSql } from '../query/sql.ts';
import type { AuditService } from '../service.ts';
import { writer } from '../store/database.ts';
import type { ServiceMetrics } from './service-metrics.ts';

const countDeadLetters = readSql('count-dead-letters');
const checkpointLag = readSql('checkpoint-lag');

/** How long what was asked of the store stands, ms: scrapes by many must not become a load. */
const freshMs = 5_000;

/**
 * Gauges that are read when somebody scrapes: the queue, what was refused, what waits to be signed, what is stopped.
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
  let readAt = Number.NEGATIVE_INFINITY;
  return async () => {
    queued.set(service.writer.queued);
    stopped.set(service.logs.stopped.size);
    if (performance.now() - readAt < freshMs) return;
    readAt = performance.now();
    try {
      const [count] = await service.database.query<{ open: number }>(writer, countDeadLetters, []);
      const [lag] = await service.database.query<{ unsigned_logs: number; age: number }>(
        writer,
        checkpointLag,
        [],
      );
      letters.set(count!.open);
      unsigned.set(lag!.unsigned_logs);
      age.set(lag!.age);
    } catch {
      // The store is away: no value is better than one that has stopped being true.
      for (const stale of [letters, unsigned, age]) stale.remove();
    }
  };
}
