import { randomUUID } from 'node:crypto';
import { appendFileSync } from 'node:fs';
import { join } from 'node:path';
import { systemClock } from '@tallystick/sdk';
import type { Narrator } from 'tallystick/demo/story-parts';
import { Feed } from '../corpus/feed.ts';
import { createIds } from '../platform/ids.ts';
import { deleteTopics } from '../platform/kafka/delete-topics.ts';
import { KafkaTopics } from '../platform/kafka/kafka-topics.ts';
import type { FalsePositivePattern } from '../platform/knowledge.ts';
import { SeparateProcesses } from '../processes/separate-processes.ts';
import { serviceNames } from '../processes/service-names.ts';
import { brokerOf } from './broker.ts';
import type { DemoPlatform, PlatformOptions } from './platform.ts';

/** Each service in a process of its own, over Kafka. Their records go to the audit service over HTTP. */
export async function startOverKafka(
  { running, tenants, models, directory }: PlatformOptions,
  named: readonly string[] | undefined,
  narrator: Narrator,
): Promise<DemoPlatform> {
  const broker = await brokerOf(named, narrator);
  const { brokers } = broker;
  const prefix = `tallystick-demo-${randomUUID().slice(0, 8)}.`;
  const log = join(directory, 'processes.log');
  const processes = await SeparateProcesses.start({
    admin: running.client,
    platform: {
      kafka: { brokers: [...brokers], prefix },
      audit: { url: running.url },
      models,
      directory: join(directory, 'services'),
      tenants: [...tenants],
    },
    onOutput: (_service, text) => appendFileSync(log, text),
    onRestart: (name, how) => appendFileSync(log, `${name} ended with ${how}, and is started again\n`),
  }).catch(async (error: unknown) => {
    await broker.stop();
    throw error;
  });
  const pids = Object.fromEntries(serviceNames.map((name) => [name, processes.supervisor.pidOf(name)]));
  await narrator.done('processes', `${serviceNames.length} processes over Kafka on ${brokers.join(', ')}`, {
    brokers,
    pids,
  });
  const topics = new KafkaTopics({ brokers, prefix });
  const feed = new Feed(topics, createIds(systemClock));
  return {
    feed,
    settled: () => processes.settled(),
    openPlans: () => processes.openPlans(),
    async review() {
      for (let waiting = 1; waiting > 0; ) {
        ({ waiting } = (await processes.call('batch-scheduler', 'flush')) as { waiting: number });
      }
    },
    patternsOf: async (tenantId) =>
      (await processes.call('batch-scheduler', 'patterns', tenantId)) as FalsePositivePattern[],
    async approvePattern(tenantId, patternId, person) {
      const lineage = feed.newLineage(tenantId);
      await processes.call('batch-scheduler', 'approvePattern', { tenantId, patternId, person, lineage });
    },
    async stop() {
      const stopped = await processes.stop();
      await topics.close();
      if (named !== undefined) await deleteTopics(brokers, prefix);
      await broker.stop();
      const incomplete = Object.entries(stopped).filter(([, how]) => how !== 0);
      if (incomplete.length === 0) return;
      const how = incomplete.map(([name, code]) => `${name} ended with ${code}`).join(', ');
      throw new Error(`not everything that happened is in the trail: ${how}. See ${log}`);
    },
  };
}
