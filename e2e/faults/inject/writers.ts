import { setTimeout as delay } from 'node:timers/promises';
import { until } from '@tallystick/testing';
import type { Random } from '../draw.ts';
import type { Stage } from '../stage.ts';
import type { Writer } from '../writer.ts';
import type { Failpoint } from '../writer-messages.ts';
import { type Fault, failpointMs } from './fault.ts';

/** Kills a writer at any moment. */
export const killWriter: Fault = {
  to: 'writer',
  async inject(stage, random) {
    const writer = await stage.fleet.pick(random, failpointMs);
    await delay(random(0, 500));
    await writer.kill();
  },
};

/** Kills a writer at a failpoint. */
export function killWriterAt(failpoint: Failpoint): Fault {
  return {
    to: 'writer',
    async inject(stage, random) {
      const writer = await stage.fleet.pick(random, failpointMs);
      await writer.killAt(failpoint, failpointMs);
    },
  };
}

/**
 * Freezes a writer at a failpoint, such as in the middle of a COPY, while it holds the locks of its tenants' heads. The other
 * writers must end its transaction and chain its events. When it wakes, it must go on by itself.
 */
export function freezeWriterAt(failpoint: Failpoint): Fault {
  return {
    to: 'writer',
    async inject(stage, random) {
      const writer = await stage.fleet.pick(random, failpointMs);
      await writer.freezeAt(failpoint, failpointMs);
      await whileFrozen(stage, writer, random);
    },
  };
}

/** Freezes a writer at any moment, for longer than its session in the group lasts. */
export const freezeWriter: Fault = {
  to: 'writer',
  async inject(stage, random) {
    const writer = await stage.fleet.pick(random, failpointMs);
    await delay(random(0, 500));
    writer.signal('SIGSTOP');
    await whileFrozen(stage, writer, random);
  },
};

/** Wakes the writer once all events that were acknowledged before its session ended are stored without it. */
async function whileFrozen(stage: Stage, writer: Writer, random: Random): Promise<void> {
  try {
    await delay(stage.settings.sessionTimeoutMs);
    const count = stage.traffic.acknowledged.length;
    await until(() => stage.storedUpTo(count), {
      timeoutMs: stage.settings.recoveryMs,
      intervalMs: 200,
      what: 'another writer that stores the events of the frozen one',
    });
    await delay(random(0, 1_000));
  } finally {
    writer.signal('SIGCONT');
  }
}

/** A replica joins or leaves the group, so that partitions move. */
export const rebalance: Fault = {
  to: 'group',
  async inject(stage, random) {
    const { fleet } = stage;
    await delay(random(0, 500));
    if (fleet.mayShrink && (!fleet.mayGrow || random(0, 1) === 0)) await fleet.shrink(random);
    else await fleet.grow();
  },
};

/** Adds a partition, and producers that use it: tenants move to it, and it must be read from its start. */
export const addPartitions: Fault = {
  to: 'group',
  async inject(stage, random) {
    await delay(random(0, 500));
    await stage.topic.addPartition();
    stage.publisher.redeploy();
  },
};
