import { setTimeout as wait } from 'node:timers/promises';
import { Admin, ConfigResourceTypes } from '@platformatic/kafka';
import { ServerError } from '../../../errors.ts';
import { toBrokerError } from '../../../kafka-client/broker-error.ts';
import type { KafkaConnection } from '../../../kafka-client/connection.ts';
import {
  compareTopic,
  type FoundTopic,
  type TopicDifference,
  type TopicPlan,
  topicSettings,
} from './plan.ts';

/** A topic, compared with its plan. */
export interface TopicReport {
  readonly name: string;
  readonly state: 'created' | 'exists' | 'missing';
  /** Absent if the topic does not exist. */
  readonly found?: FoundTopic & {
    readonly id: string;
    /** Partitions with a replica that lags behind or is offline. */
    readonly underReplicated: number;
    /** Partitions without a leader, which can be neither read nor written. */
    readonly offline: number;
  };
  readonly differences: readonly TopicDifference[];
}

/**
 * Creates the topics that do not exist, and reports how existing ones differ from their plans, without changing them. It may
 * be repeated, also concurrently. A crash leaves some topics created; the next run creates the others.
 *
 * @throws {ServerError} `BROKER_UNAVAILABLE`, `BROKER_REFUSED`
 */
export async function createTopics(
  connection: KafkaConnection,
  plans: readonly TopicPlan[],
): Promise<TopicReport[]> {
  return await withAdmin(connection, async (admin) => {
    const { present, brokers } = await survey(admin);
    const created = new Set<string>();
    for (const plan of plans) {
      if (!present.has(plan.name) && (await createTopic(admin, plan, brokers))) created.add(plan.name);
    }
    return await describe(admin, plans, brokers, created);
  });
}

/**
 * Reports which topics exist, and how they differ from their plans.
 *
 * @throws {ServerError} `BROKER_UNAVAILABLE`, `BROKER_REFUSED`
 */
export async function describeTopics(
  connection: KafkaConnection,
  plans: readonly TopicPlan[],
): Promise<TopicReport[]> {
  return await withAdmin(connection, async (admin) => {
    const { present, brokers } = await survey(admin);
    const existing = plans.filter(({ name }) => present.has(name));
    const reports = await describe(admin, existing, brokers, new Set());
    const byName = new Map(reports.map((report) => [report.name, report]));
    return plans.map(({ name }) => byName.get(name) ?? { name, state: 'missing', differences: [] });
  });
}

async function withAdmin<T>(connection: KafkaConnection, work: (admin: Admin) => Promise<T>): Promise<T> {
  const admin = new Admin({
    clientId: 'tallystick',
    timeout: 15_000,
    requestTimeout: 10_000,
    retries: 2,
    retryDelay: 250,
    ...connection,
  });
  try {
    return await work(admin);
  } catch (error) {
    throw toBrokerError(error);
  } finally {
    await admin.close();
  }
}

/** The topics that this client may see, and the number of brokers. */
async function survey(admin: Admin): Promise<{ readonly present: Set<string>; readonly brokers: number }> {
  const present = new Set(await admin.listTopics());
  const { brokers } = await admin.metadata({ topics: [], forceUpdate: true });
  return { present, brokers: brokers.size };
}

const replicasOf = ({ replicas }: TopicPlan, brokers: number) => replicas ?? Math.min(3, brokers);

/** @returns false if another client has created the topic in the meantime */
async function createTopic(admin: Admin, plan: TopicPlan, brokers: number): Promise<boolean> {
  const replicas = replicasOf(plan, brokers);
  if (replicas > brokers) {
    const available = brokers === 1 ? '1 broker' : `${brokers} brokers`;
    const message = `${plan.name} can't have ${replicas} replicas: the cluster has ${available}`;
    throw new ServerError('BROKER_REFUSED', message, { details: { reason: 'INVALID_REPLICATION_FACTOR' } });
  }
  const settings = Object.entries(topicSettings(plan, replicas));
  try {
    await admin.createTopics({
      topics: [plan.name],
      partitions: plan.partitions,
      replicas,
      configs: settings.map(([name, value]) => ({ name, value })),
    });
    return true;
  } catch (error) {
    const failure = toBrokerError(error, `can't create the topic ${plan.name}`);
    if (failure.details.reason === 'TOPIC_ALREADY_EXISTS') return false;
    throw failure;
  }
}

async function describe(
  admin: Admin,
  plans: readonly TopicPlan[],
  brokers: number,
  created: ReadonlySet<string>,
): Promise<TopicReport[]> {
  if (plans.length === 0) return [];
  const names = plans.map(({ name }) => name);
  const metadata = await settledMetadata(admin, names);
  const resources = await admin.describeConfigs({
    resources: names.map((resourceName) => ({ resourceType: ConfigResourceTypes.TOPIC, resourceName })),
  });
  const settingsOf = new Map(
    resources.map(({ resourceName, configs }) => [
      resourceName,
      new Map(configs.map(({ name, value }) => [name, value ?? ''])),
    ]),
  );
  return plans.map((plan) => {
    const { id, partitions } = metadata.topics.get(plan.name)!;
    const replicas = Math.min(...partitions.map((partition) => partition.replicas.length));
    const settings = Object.keys(topicSettings(plan, replicas)).map((name): [string, string] => [
      name,
      settingsOf.get(plan.name)?.get(name) ?? '',
    ]);
    const found = {
      id,
      partitions: partitions.length,
      replicas,
      underReplicated: partitions.filter(({ isr, replicas: all }) => isr.length < all.length).length,
      offline: partitions.filter(({ leader }) => leader < 0).length,
      settings: Object.fromEntries(settings),
    };
    return {
      name: plan.name,
      state: created.has(plan.name) ? 'created' : 'exists',
      found,
      // A broker that is offline now does not reduce the number of planned replicas.
      differences: compareTopic(plan, replicasOf(plan, Math.max(brokers, replicas)), found),
    };
  });
}

/** The controller creates a topic. The broker that answers this request may learn of it a little later. */
async function settledMetadata(admin: Admin, topics: string[]): ReturnType<Admin['metadata']> {
  for (let attempt = 0; ; attempt++) {
    try {
      return await admin.metadata({ topics, forceUpdate: true });
    } catch (error) {
      const reason = String(toBrokerError(error).details.reason);
      const isNew = ['UNKNOWN_TOPIC_OR_PARTITION', 'LEADER_NOT_AVAILABLE'].includes(reason);
      if (!isNew || attempt === 20) throw error;
      await wait(100);
    }
  }
}
