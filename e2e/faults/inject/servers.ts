import { setTimeout as delay } from 'node:timers/promises';
import { until } from '@tallystick/testing';
import { type Fault, failpointMs } from './fault.ts';

/** Kills the database server and all its processes at once. */
export const killPostgres: Fault = {
  to: 'database',
  async inject(stage, random) {
    await delay(random(0, 500));
    await stage.postgres.kill('SIGKILL');
    await delay(random(0, 2_000));
    await stage.postgres.restart();
  },
};

/** Kills a broker, which is also a controller. */
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
 * Fills the database's disk for some seconds. Writers must report that they can't store, and lose nothing. In about half of
 * the cases the server also needs a new WAL file, has no room for it, and crashes; it is restarted once there is room.
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
          return statuses.some((status) => (status?.ingest.notReadyReasons.length ?? 0) > 0);
        },
        { timeoutMs: failpointMs, intervalMs: 200, what: "a writer that reports that it can't store" },
      );
      await delay(random(0, 2_000));
    } finally {
      disk.empty();
    }
    await stage.databaseAnswers();
  },
};
