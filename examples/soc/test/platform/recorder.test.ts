import { createTestAudit } from '@tallystick/sdk/testing';
import { expect, test } from 'vitest';
import { createIds } from '../../src/platform/ids.ts';
import { after } from '../../src/platform/lineage.ts';
import { seededRandom } from '../../src/platform/random.ts';
import { Recorder, taxonomy } from '../../src/platform/recorder.ts';

const lineage = {
  tenantId: 'acme',
  correlationId: 'c-1',
  traceId: '0af7651916cd43dd8448eb211c80319c',
  alertId: 'alert-1',
};
const clock = { now: () => 1_790_000_000_000 };

test('an event has the lineage, the service as its actor, and the given content', () => {
  const audit = createTestAudit({ taxonomy });
  const recorder = new Recorder('entity-parser', createIds(clock, seededRandom(1)), audit.emitter);

  const first = recorder.emit('alert.classified', lineage, {
    decision: { classification: 'malware', confidence: 0.9 },
    outcome: 'success',
  });
  recorder.emit('alert.escalated', after(lineage, first), { actorType: 'user', actorId: 'mia' });

  expect(audit.events).toMatchObject([
    {
      audit_id: first,
      event_type: 'alert.classified',
      event_category: 'decision',
      tenant_id: 'acme',
      actor_type: 'service',
      actor_id: 'entity-parser',
      alert_id: 'alert-1',
      correlation_id: 'c-1',
      trace_id: lineage.traceId,
      decision: { classification: 'malware', confidence: 0.9 },
      outcome: { outcome_status: 'success' },
    },
    { event_type: 'alert.escalated', parent_id: first, actor_type: 'user', actor_id: 'mia' },
  ]);
});

test('ids are the same with and without an emitter', () => {
  const audit = createTestAudit({ taxonomy });
  const idsOf = (emitter?: typeof audit.emitter) => {
    const recorder = new Recorder('router', createIds(clock, seededRandom(7)), emitter);
    return [1, 2, 3].map(() => recorder.emit('spend.soft_limit', lineage, {}));
  };
  expect(idsOf()).toEqual(idsOf(audit.emitter));
  expect(audit.events).toHaveLength(3);
});

test('an event whose content is refused is recorded without its content', () => {
  const audit = createTestAudit({ taxonomy });
  const recorder = new Recorder('entity-parser', createIds(clock, seededRandom(1)), audit.emitter);
  const id = recorder.emit('alert.classified', lineage, {
    actorType: 'user',
    actorId: 'x'.repeat(600),
    context: { evidence_refs: ['y'.repeat(300_000)] },
  });
  expect(audit.events).toMatchObject([
    {
      audit_id: id,
      event_type: 'alert.classified',
      tenant_id: 'acme',
      actor_id: 'entity-parser',
      outcome: { outcome_status: 'partial', error_code: 'CONTENT_REFUSED' },
    },
  ]);
});
