import { expect, test } from 'vitest';
import {
  auditTopics,
  compareTopic,
  socTopics,
  topicSettings,
} from '../../../../src/ingest/kafka/topics/plan.ts';

const [events] = auditTopics();
const asPlanned = { partitions: 4, replicas: 3, settings: topicSettings(events!, 3) };

test('the topics of the reference platform, each with its dead letters', () => {
  const names = socTopics().map(({ name }) => name);
  expect(names).toHaveLength(20);
  expect(names).toEqual(expect.arrayContaining(['alerts.raw', 'ctem.raw.garak', 'playbooks.draft.dlq']));
  expect(names.filter((name) => !name.endsWith('.dlq')).every((name) => names.includes(`${name}.dlq`))).toBe(
    true,
  );
  expect(auditTopics({ events: 'e', gateway: 'g' }).map(({ name }) => name)).toEqual(['e', 'g', 'e.dlq']);
});

test('two of three replicas must have a message; with fewer replicas, one', () => {
  const inSync = (replicas: number) => topicSettings(events!, replicas)['min.insync.replicas'];
  expect([1, 2, 3, 5].map(inSync)).toEqual(['1', '1', '2', '2']);
  expect(compareTopic(events!, 3, asPlanned)).toEqual([]);
});

test.each<[string, string, boolean]>([
  ['cleanup.policy', 'compact', true],
  ['cleanup.policy', 'compact,delete', true],
  ['retention.ms', '1000', true],
  // A longer or unlimited retention is no risk.
  ['retention.ms', '-1', false],
  ['retention.ms', '99999999999', false],
  ['retention.bytes', '1073741824', true],
  ['max.message.bytes', '262144', true],
  ['max.message.bytes', '10485760', false],
  ['min.insync.replicas', '1', true],
  ['min.insync.replicas', '3', false],
  ['min.insync.replicas', '4', true],
  ['unclean.leader.election.enable', 'true', true],
  ['message.timestamp.type', 'CreateTime', true],
])('%s=%s is a difference; a risk: %s', (setting, value, isRisk) => {
  const found = { ...asPlanned, settings: { ...asPlanned.settings, [setting]: value } };
  const differences = compareTopic(events!, 3, found);
  expect(differences).toEqual([expect.objectContaining({ setting, found: value })]);
  expect(differences[0]!.risk !== undefined).toBe(isRisk);
});

test('fewer replicas are a risk, more partitions are not', () => {
  const differences = compareTopic(events!, 3, { ...asPlanned, partitions: 12, replicas: 2 });
  expect(differences.map(({ setting, risk }) => [setting, risk !== undefined])).toEqual([
    ['partitions', false],
    ['replicas', true],
    ['min.insync.replicas', false],
  ]);
});
