import { setTimeout as delay } from 'node:timers/promises';
import { until } from '@tallystick/testing';
import type { Random } from '../draw.ts';
import type { Stage } from '../stage.ts';
import type { Writer } from '../writer.ts';
import type { Failpoint } from '../writer-messages.ts';
import { type Fault, failpointMs } from './fault.ts';

/** Ends a writer wherever it is. */
export const killWriter: Fault = {
  to: 'writer',
  async inject(stage, random) {
    const writer = await stage.fleet.pick(random, failpointMs);
    await delay(random(0, 500));
    await writer.kill();
  },
};

/** Ends a writer at a named place. */
export function killWriterAt(failpoint: Failpoint): Fault {
  return {
    to: 'writer',
    async inject(stage, random) {
      const writer = await stage.fleet.pick(random, failpointMs);
      await writer.dieAt(failpoint, failpointMs);
    },
  };
}

/**
 * A writer stops at a named place, such as in the middle of a COPY, with the locks of its tenants' heads. The others must
 * end its transaction and chain what it was chaining; it must go on by itself when it wakes.
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

/** A writer stops at any moment, for longer than its group waits for it. */
export const freezeWriter: Fault = {
  to: 'writer',
  async inject(stage, random) {
    const writer = await stage.fleet.pick(random, failpointMs);
    await delay(random(0, 500));
    writer.signal('SIGSTOP');
    await whileFrozen(stage, writer, random);
  },
};

/** Wakes it when everything that was acknowledged up to the end of its session is stored without it. */
async function whileFrozen(stage: Stage, writer: Writer, random: Random): Promise<void> {
  try {
    await delay(stage.settings.sessionTimeoutMs);
    const count = stage.traffic.acknowledged.length;
    await until(() => stage.storedUpTo(count), {
      timeoutMs: stage.settings.patienceMs,
      intervalMs: 200,
      what: 'a successor of the frozen writer, with its events stored,',
    });
    await delay(random(0, 1_000));
  } finally {
    writer.signal('SIGCONT');
  }
}

/** A replica joins the group, or leaves it in peace: its partitions move. */
export const rebalance: Fault = {
  to: 'group',
  async inject(stage, random) {
    const { fleet } = stage;
    await delay(random(0, 500));
    if (fleet.mayShrink && (!fleet.mayGrow || random(0, 1) === 0)) await fleet.shrink(random);
    else await fleet.grow();
  },
};

/** The topic gets one more partition, and producers that know of it: tenants move, and it must be read from its start. */
export const addPartitions: Fault = {
  to: 'group',
  async inject(stage, random) {
    await delay(random(0, 500));
    await stage.topic.addPartition();
    stage.publisher.redeploy();
  },
};
