import { createTestAudit } from '@tallystick/sdk/testing';
import { beforeEach, describe, expect, test } from 'vitest';
import { corpusAlerts } from '../../src/corpus/alerts.ts';
import type { StoredInvestigation } from '../../src/orchestrator/investigation-states.ts';
import { deadLetterRecords } from '../../src/platform/dead-letter-records.ts';
import { MemoryDocuments } from '../../src/platform/documents.ts';
import { createIds } from '../../src/platform/ids.ts';
import { topicNames } from '../../src/platform/kafka/topic-settings.ts';
import { MemoryTopics } from '../../src/platform/memory-topics.ts';
import { Recorder, taxonomy } from '../../src/platform/recorder.ts';
import { TenantDirectory } from '../../src/platform/tenants.ts';
import { RejectedMessage, type Topic } from '../../src/platform/topics.ts';
import { newLineage } from '../platform-parts.ts';
import { wholePlatform } from '../whole-platform.ts';

let topics: MemoryTopics;
let audit: ReturnType<typeof createTestAudit<typeof taxonomy>>;

beforeEach(() => {
  audit = createTestAudit({ taxonomy });
  topics = new MemoryTopics();
  const recorder = new Recorder('orchestrator', createIds({ now: Date.now }), audit.emitter);
  topics.recordDeadLetter = deadLetterRecords(
    (consumer) => (consumer === 'orchestrator' ? recorder : undefined),
    new TenantDirectory([{ id: 'acme', tier: 'trial', shadow: false }]),
  );
});

/** What becomes of a message whose handler throws `error`. */
async function letterOf(topic: Topic, error: Error, { consumer = 'orchestrator', tenantId = 'acme' } = {}) {
  await topics.subscribe(topic, consumer, async () => {
    throw error;
  });
  await topics.publish(topic, { key: 'k', lineage: newLineage(tenantId), value: {} as never });
  await topics.settled();
  return topics.deadLetters.at(-1)!;
}

describe.each(topicNames)('a dead letter of %s has a record', (topic) => {
  test('that says that the service failed, without the text of the error', async () => {
    const letter = await letterOf(topic, new Error('no entry for mia@acme.example'));
    expect(letter.reason).toBe('no entry for mia@acme.example');
    expect(audit.events).toMatchObject([
      {
        ...{ audit_id: letter.audit_id, tenant_id: 'acme', actor_id: 'orchestrator', target_id: topic },
        decision: { classification: 'unhandled' },
        outcome: { outcome_status: 'failure', error_code: 'HANDLER_FAILED', action_taken: 'dead_letter' },
      },
    ]);
    expect(JSON.stringify(audit.events)).not.toContain('mia');
  });

  test('that says why the service rejected the message', async () => {
    const letter = await letterOf(topic, new RejectedMessage('PLAN_MALFORMED', 'the plan has no actions'));
    expect(audit.events).toMatchObject([
      {
        audit_id: letter.audit_id,
        decision: { classification: 'invalid', reasoning_summary: 'the plan has no actions' },
        outcome: { error_code: 'PLAN_MALFORMED' },
      },
    ]);
  });
});

test('if the tenant of a dead letter is not served, its record is in the trail of the platform', async () => {
  await letterOf('alerts.raw', new Error('no connection'), { tenantId: 'evil' });
  expect(audit.events).toMatchObject([{ tenant_id: 'soc-platform' }]);
});

test('the dead letter of a consumer that is not a service has no record', async () => {
  const letter = await letterOf('alerts.raw', new Error('no connection'), { consumer: 'live-view' });
  expect(letter).toMatchObject({ code: 'HANDLER_FAILED', audit_id: undefined });
  expect(audit.events).toEqual([]);
});

test('when a store of the platform fails, each dead letter names its event', async () => {
  class BrokenDocuments extends MemoryDocuments<StoredInvestigation> {
    override async put(): Promise<void> {
      throw new Error('the disk is full');
    }
  }
  const { soc, feed, topics, trail } = wholePlatform({ investigations: new BrokenDocuments() });
  await soc.start();
  await feed.alert(corpusAlerts[0]!);
  await soc.settled();
  expect(topics.deadLetters).toMatchObject([{ consumer: 'orchestrator', reason: 'the disk is full' }]);
  expect(trail.events.find(({ audit_id }) => audit_id === topics.deadLetters[0]!.audit_id)).toMatchObject({
    ...{ actor_id: 'orchestrator', target_type: 'topic', target_id: 'alerts.normalized' },
    outcome: { error_code: 'HANDLER_FAILED' },
  });
});
