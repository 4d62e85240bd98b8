/** How a topic should be configured. This module only computes; `topics.ts` talks to the brokers. */
export interface TopicPlan {
  readonly name: string;
  readonly partitions: number;
  /** Replicas of each partition. @defaultValue min(3, brokers) */
  readonly replicas?: number | undefined;
  readonly retentionMs: number;
}

/** What an operator may choose for the topics that the service creates. */
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
 * The service's own topics. The service stores messages that it refuses in `audit_dead_letters`, in the transaction that
 * moves its position; with a dead-letter topic instead, a crash between the two writes would lose one of them.
 * `<events>.dlq` is for other consumers of the events, such as an exporter to a SIEM, which have no such transaction. The
 * gateway's topic needs no dead-letter topic, because only the service reads it.
 */
export function auditTopics(choices: TopicChoices = {}): TopicPlan[] {
  const { partitions = 4, replicas, retentionDays = 90 } = choices;
  const { events = defaultTopics.events, gateway = defaultTopics.gateway } = choices;
  const plan = { partitions, replicas, retentionMs: retentionDays * dayMs };
  return [{ name: events, ...plan }, { name: gateway, ...plan }, deadLetters(events, replicas)];
}

/** The topics of the reference platform. Any consumer may meet messages that it can't use, so each has a dead-letter topic. */
export function socTopics(choices: Pick<TopicChoices, 'partitions' | 'replicas'> = {}): TopicPlan[] {
  const { partitions = 4, replicas } = choices;
  return socNames.flatMap((name) => [
    { name, partitions, replicas, retentionMs: 7 * dayMs },
    deadLetters(name, replicas),
  ]);
}

/** One partition is enough: dead letters are few. */
function deadLetters(name: string, replicas: number | undefined): TopicPlan {
  return { name: `${name}.dlq`, partitions: 1, replicas, retentionMs: deadLetterDays * dayMs };
}

/** Kafka's default for a batch of messages: almost four events of the largest size, uncompressed. */
const maxMessageBytes = 1_048_588;

/**
 * The settings that the service's guarantees depend on. All of them are set, including those that are Kafka's defaults,
 * because a cluster may have other defaults.
 */
export function topicSettings(plan: TopicPlan, replicas: number): { readonly [setting: string]: string } {
  return {
    'cleanup.policy': 'delete',
    'retention.ms': String(plan.retentionMs),
    'retention.bytes': '-1',
    'max.message.bytes': String(maxMessageBytes),
    // With 2 of 2 in-sync replicas required, no broker could be offline.
    'min.insync.replicas': replicas >= 3 ? '2' : '1',
    'unclean.leader.election.enable': 'false',
    'message.timestamp.type': 'LogAppendTime',
  };
}

/** One setting in which a topic differs from its plan. */
export interface TopicDifference {
  readonly setting: string;
  readonly wanted: string;
  readonly found: string;
  /** What may go wrong because of it; absent if nothing can. */
  readonly risk?: string;
}

/** The configuration of an existing topic, as far as a plan covers it. */
export interface FoundTopic {
  readonly partitions: number;
  /** Of the partition that has the fewest. */
  readonly replicas: number;
  readonly settings: { readonly [setting: string]: string };
}

/** @param wantedReplicas replicas of each partition according to the plan, on this cluster */
export function compareTopic(plan: TopicPlan, wantedReplicas: number, found: FoundTopic): TopicDifference[] {
  const differences: TopicDifference[] = [];
  const compare = (setting: string, wanted: string, actual: string, risk: string | undefined) => {
    if (wanted === actual) return;
    differences.push({ setting, wanted, found: actual, ...(risk !== undefined && { risk }) });
  };
  compare('partitions', String(plan.partitions), String(found.partitions), undefined);
  const fewer = found.replicas < wantedReplicas ? 'fewer brokers may fail before events are lost' : undefined;
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
      return found.includes('compact')
        ? 'compaction deletes events, because their key is the tenant'
        : undefined;
    case 'retention.ms':
      return isLess && found !== '-1'
        ? 'events are deleted unread if the service is down for longer than that'
        : undefined;
    case 'retention.bytes':
      return 'after a burst, Kafka may delete events that the service has not read';
    case 'max.message.bytes':
      return isLess ? 'the topic may refuse events that the service accepts' : undefined;
    case 'min.insync.replicas':
      if (Number(found) > replicas) return 'nothing can be written';
      return isLess ? 'one broker alone may have an acknowledged event' : undefined;
    case 'unclean.leader.election.enable':
      return 'a broker that lags behind may become leader, without acknowledged events';
    case 'message.timestamp.type':
      return "a producer's clock decides when Kafka deletes its events";
    default:
      return undefined;
  }
}
