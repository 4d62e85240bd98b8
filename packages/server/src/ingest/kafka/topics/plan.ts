/** What a topic is to be like. Pure: what there is, and what it takes to get there, is `topics.ts`. */
export interface TopicPlan {
  readonly name: string;
  readonly partitions: number;
  /** Copies of each partition; min(3, brokers) where absent. */
  readonly replicas?: number | undefined;
  readonly retentionMs: number;
}

/** What an operator may choose of the topics that are made. */
export interface TopicChoices {
  /** @defaultValue 4 */
  readonly partitions?: number | undefined;
  /** @defaultValue min(3, brokers) */
  readonly replicas?: number | undefined;
  /** @defaultValue 90 */
  readonly retentionDays?: number | undefined;
  /** @defaultValue 'audit.events' */
  readonly events?: string | undefined;
  /** @defaultValue 'audit.gateway' */
  readonly gateway?: string | undefined;
}

export const defaultTopics = Object.freeze({ events: 'audit.events', gateway: 'audit.gateway' });

const dayMs = 24 * 60 * 60 * 1000;
const deadLetterDays = 90;

/** Topics of the reference platform, from the first alert to the last playbook. */
const socNames = [
  'alerts.raw',
  'alerts.normalized',
  'investigations',
  'ctem.raw.wiz',
  'ctem.raw.snyk',
  'ctem.raw.garak',
  'ctem.raw.art',
  'ctem.normalized',
  'actions.pending',
  'playbooks.draft',
] as const;

/**
 * The service's own topics. What the service itself refuses goes to `audit_dead_letters`, in the transaction that moves
 * its position: a dead-letter topic could be written and the position lost, or the other way round. `<events>.dlq` is for
 * the other consumers of the events, such as an exporter to a SIEM, which have no such transaction. The gateway's topic
 * has none, because nobody but the service reads it.
 */
export function auditTopics(choices: TopicChoices = {}): TopicPlan[] {
  const { partitions = 4, replicas, retentionDays = 90 } = choices;
  const { events = defaultTopics.events, gateway = defaultTopics.gateway } = choices;
  const plan = { partitions, replicas, retentionMs: retentionDays * dayMs };
  return [{ name: events, ...plan }, { name: gateway, ...plan }, deadLetters(events, replicas)];
}

/** The reference platform's topics. Each consumer meets messages that it can't use, so each topic has dead letters. */
export function socTopics(choices: Pick<TopicChoices, 'partitions' | 'replicas'> = {}): TopicPlan[] {
  const { partitions = 4, replicas } = choices;
  return socNames.flatMap((name) => [
    { name, partitions, replicas, retentionMs: 7 * dayMs },
    deadLetters(name, replicas),
  ]);
}

/** One partition: they are few, and nobody needs their order. */
function deadLetters(name: string, replicas: number | undefined): TopicPlan {
  return { name: `${name}.dlq`, partitions: 1, replicas, retentionMs: deadLetterDays * dayMs };
}

/** Kafka's own default for a batch of messages: four events of 256 KiB, less their envelopes, without compression. */
const maxMessageBytes = 1_048_588;

/**
 * Settings that our promises stand on, for a topic of so many copies. All are set, also where they are Kafka's defaults: a
 * cluster may have others.
 */
export function topicSettings(plan: TopicPlan, replicas: number): { readonly [setting: string]: string } {
  return {
    'cleanup.policy': 'delete',
    'retention.ms': String(plan.retentionMs),
    'retention.bytes': '-1',
    'max.message.bytes': String(maxMessageBytes),
    // Two copies that must agree leave no room for a broker to be away.
    'min.insync.replicas': replicas >= 3 ? '2' : '1',
    'unclean.leader.election.enable': 'false',
    'message.timestamp.type': 'LogAppendTime',
  };
}

/** One thing in which a topic is not as planned. */
export interface TopicDifference {
  readonly setting: string;
  readonly wanted: string;
  readonly found: string;
  /** Which promise does not hold then; absent where none is at risk. */
  readonly risk?: string;
}

/** What a topic is like, as far as a plan can speak of it. */
export interface FoundTopic {
  readonly partitions: number;
  /** Of the partition that has fewest. */
  readonly replicas: number;
  readonly settings: { readonly [setting: string]: string };
}

/** @param wantedReplicas copies that the plan comes to on this cluster */
export function compareTopic(plan: TopicPlan, wantedReplicas: number, found: FoundTopic): TopicDifference[] {
  const differences: TopicDifference[] = [];
  const compare = (setting: string, wanted: string, actual: string, risk: string | undefined) => {
    if (wanted === actual) return;
    differences.push({ setting, wanted, found: actual, ...(risk !== undefined && { risk }) });
  };
  compare('partitions', String(plan.partitions), String(found.partitions), undefined);
  const fewer = found.replicas < wantedReplicas ? 'fewer brokers may die before events are lost' : undefined;
  compare('replicas', String(wantedReplicas), String(found.replicas), fewer);
  for (const [setting, wanted] of Object.entries(topicSettings(plan, found.replicas))) {
    const actual = found.settings[setting] ?? '';
    compare(setting, wanted, actual, riskOf(setting, wanted, actual, found.replicas));
  }
  return differences;
}

function riskOf(setting: string, wanted: string, found: string, replicas: number): string | undefined {
  const isLess = Number(found) < Number(wanted);
  switch (setting) {
    case 'cleanup.policy':
      return found.includes('compact') ? 'compaction deletes events: the key is the tenant' : undefined;
    case 'retention.ms':
      return isLess && found !== '-1' ? 'the service may be away for less long' : undefined;
    case 'retention.bytes':
      return 'a burst may delete events that the service has not read';
    case 'max.message.bytes':
      return isLess ? 'events that the service takes may not fit' : undefined;
    case 'min.insync.replicas':
      if (Number(found) > replicas) return 'nothing can be written';
      return isLess ? 'an acknowledged event may lie on one broker alone' : undefined;
    case 'unclean.leader.election.enable':
      return 'a broker that fell behind may become leader, without acknowledged events';
    case 'message.timestamp.type':
      return "a producer's clock decides when its events are deleted";
    default:
      return undefined;
  }
}
