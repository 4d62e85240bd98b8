import { expect, test } from 'vitest';
import { eventColumns, eventLine } from '../../src/commands/event-columns.ts';

test('an event that only a client says the service wrote is labelled', () => {
  const event = {
    sequence_number: 7,
    timestamp: '2026-03-01T12:00:00.000Z',
    event_type: 'delivery.gap',
    actor_id: 'tallystick',
  };
  const typeOf = (view: object) => eventColumns.find(({ title }) => title === 'TYPE')!.value(view as never);
  expect(typeOf({ ...event, claimed: true })).toBe('delivery.gap (claimed)');
  expect(typeOf(event)).toBe('delivery.gap');
  expect(eventLine({ ...event, claimed: true })).toContain('delivery.gap (claimed)');
});
