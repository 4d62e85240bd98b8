import { type EventView, type MissingKind, summarize, timelineRecord } from '@tallystick/protocol';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { expect, it } from 'vitest';
import { missingMatter } from '../../../../src/http/openapi/schemas/missing-schemas.ts';

const at = '2026-03-01T00:00:00.000Z';
let sequence = 0;
const event = (members: object): EventView => ({
  ...{ audit_id: `id-${sequence}`, event_type: 'alert.classified', timestamp: at, ingested_at: at },
  sequence_number: sequence++,
  ...members,
});
const success = { outcome_status: 'success' };
const intent = { event_type: 'agent.action.intended', target_type: 'host', target_id: 'line-4' };

it('describes each kind of thing that a timeline shows to be missing', () => {
  const change = (outcome: object) => event({ event_type: 'investigation.state_changed', outcome });
  const open = event(intent);
  const waiting = event(intent);
  const done = event(intent);
  const records = [
    ...[open, waiting, done],
    event({ event_type: 'approval.requested', parent_id: waiting.audit_id }),
    event({ event_type: 'response.prepared', outcome: { action_taken: 'block_ip' } }),
    event({ event_type: 'response.executed', parent_id: done.audit_id, outcome: success }),
    event({
      event_type: 'agent.action.completed',
      parent_id: done.audit_id,
      outcome: { outcome_status: 'failure' },
    }),
    event({ parent_id: 'gone', ingest: { producer_id: 'p1' } }),
    ...[change({ state_before: 'a' }), change({ state_before: 'b' }), change({})],
    ...[
      event({ redacted: true }),
      event({ damaged: true, sequence_number: undefined }),
      event({ claimed: true }),
    ],
  ];
  const delivery = (event_type: string, target_id: unknown, metadata: object = {}) =>
    event({ event_type, target_id, metadata });
  const { missing } = summarize({
    tenantId: 'acme',
    subject: { investigation_id: 'inv-1' },
    records: records.map(timelineRecord),
    isCut: true,
    outside: new Map([['gone', undefined]]),
    outsideIsCut: true,
    deliveries: [
      delivery('delivery.gap', 'p1', { events: 3, service: 'doors' }),
      delivery('delivery.unclosed', 'p1'),
      delivery('delivery.contradiction', 'p1'),
      delivery('delivery.conflict', open.audit_id),
      delivery('delivery.dead_lettered', 'acme', { count: 2 }),
    ],
    deliveriesAreCut: true,
  });
  const kinds: { readonly [kind in MissingKind]: true } = {
    ...{ records_cut: true, causes_cut: true, deliveries_cut: true },
    ...{ action_open: true, action_waiting: true, preparation_open: true, ends_disagree: true },
    ...{ cause_unknown: true, state_unexplained: true, event_conflict: true, events_refused: true },
    ...{ producer_gap: true, producer_unclosed: true, producer_contradiction: true },
    ...{ records_sensitive: true, records_damaged: true, records_claimed: true },
  };
  expect(new Set(missing.map(({ kind }) => kind))).toEqual(new Set(Object.keys(kinds)));
  const validate = new Ajv2020({ strict: false }).compile(missingMatter);
  expect(JSON.parse(JSON.stringify(missing)).filter((matter: unknown) => !validate(matter))).toEqual([]);
  expect(validate({ kind: 'cause_unknown', cause: 'x' })).toBe(false);
});
