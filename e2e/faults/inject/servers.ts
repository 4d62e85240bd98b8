import { setTimeout as delay } from 'node:timers/promises';
import { until } from '@tallystick/testing';
import { type Fault, failpointMs } from './fault.ts';

/** Ends the database server and all its processes at once. */
export const killPostgres: Fault = {
  to: 'database',
  async inject(stage, random) {
    await delay(random(0, 500));
    await stage.postgres.kill('SIGKILL');
    await delay(random(0, 2_000));
    await stage.postgres.restart();
  },
};

/** Ends a broker, which is one of the controllers too. */
export const killBroker: Fault = {
  to: 'broker',
  async inject(stage, random) {
    const { brokers } = stage.kafka;
    const broker = brokers[random(0, brokers.length - 1)]!;
    await delay(random(0, 500));
    await broker.kill('SIGKILL');
    await delay(random(500, 4_000));
    await broker.start();
  },
};

/**
 * The database's disk is full for some seconds. Writers must say that they can't write, and lose nothing. Every other time
 * the server needs a new file for its log as well, has no room for it, and crashes, to come back when there is room.
 */
export const diskFull: Fault = {
  to: 'database',
  needs: 'disk',
  async inject(stage, random) {
    const disk = stage.disk!;
    const crash = random(0, 1) === 0;
    disk.fill(crash ? 0 : random(0, 512) * 1_024);
    try {
      if (crash) await stage.asOwner('select pg_switch_wal()').catch(() => undefined);
      await until(
        async () => {
          const statuses = await Promise.all(stage.fleet.writers.map((writer) => writer.status()));
          return statuses.some((status) => (status?.ingest.obstacles.length ?? 0) > 0);
        },
        { timeoutMs: failpointMs, intervalMs: 200, what: "a writer that says it can't write to a full disk" },
      );
      await delay(random(0, 2_000));
    } finally {
      disk.empty();
    }
    await stage.databaseAnswers();
  },
};
