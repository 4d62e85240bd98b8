import { setTimeout as wait } from 'node:timers/promises';
import { Admin, ConfigResourceTypes } from '@platformatic/kafka';
import { ServerError } from '../../../errors.ts';
import { toBrokerError } from '../../../kafka-client/broker-error.ts';
import type { KafkaConnection } from '../options.ts';
import {
  compareTopic,
  type FoundTopic,
  type TopicDifference,
  type TopicPlan,
  topicSettings,
} from './plan.ts';

/** A topic beside its plan. */
export interface TopicReport {
  readonly name: string;
  readonly state: 'created' | 'exists' | 'missing';
  /** Absent where it is missing. */
  readonly found?: FoundTopic & {
    readonly id: string;
    /** Partitions of which some copy is behind or away. */
    readonly underReplicated: number;
    /** Partitions that nobody leads: neither read nor written. */
    readonly offline: number;
  };
  readonly differences: readonly TopicDifference[];
}

/**
 * Makes the topics that are missing, and says how the others differ from their plans; those are left as they are. Safe to
 * repeat, and to run twice at once. A crash leaves some of the topics made, and the next run makes the others.
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
 * Says what there is, beside what is planned.
 *
 * @throws {ServerError} `BROKER_UNAVAILABLE`, `BROKER_REFUSED`
 */
export async function describeTopics(
  connection: KafkaConnection,
  plans: readonly TopicPlan[],
): Promise<TopicReport[]> {
  return await withAdmin(connection, async (admin) => {
    const { present, brokers } = await survey(admin);
    const there = plans.filter(({ name }) => present.has(name));
    const reports = await describe(admin, there, brokers, new Set());
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

/** Topics that the user may see, and how many brokers there are. */
async function survey(admin: Admin): Promise<{ readonly present: Set<string>; readonly brokers: number }> {
  const present = new Set(await admin.listTopics());
  const { brokers } = await admin.metadata({ topics: [], forceUpdate: true });
  return { present, brokers: brokers.size };
}

const replicasOf = ({ replicas }: TopicPlan, brokers: number) => replicas ?? Math.min(3, brokers);

/** @returns false where somebody else has made it in the meantime */
async function createTopic(admin: Admin, plan: TopicPlan, brokers: number): Promise<boolean> {
  const replicas = replicasOf(plan, brokers);
  if (replicas > brokers) {
    const there = brokers === 1 ? '1 broker' : `${brokers} brokers`;
    const message = `${plan.name} can't have ${replicas} copies: the cluster has ${there}`;
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
    const failure = toBrokerError(error, `can't make the topic ${plan.name}`);
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
      // A broker that is away now takes no copy from the plan.
      differences: compareTopic(plan, replicasOf(plan, Math.max(brokers, replicas)), found),
    };
  });
}

/** A topic is made by the controller, and the broker that is asked may not have heard of it yet. */
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
