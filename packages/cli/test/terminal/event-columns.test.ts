import { expect, test } from 'vitest';
import { eventColumnsAt, eventLine, tailHeading } from '../../src/terminal/event-columns.ts';

test('an event that only a client says the service wrote is labelled', () => {
  const event = {
    sequence_number: 7,
    timestamp: '2026-03-01T12:00:00.000Z',
    event_type: 'delivery.gap',
    actor_id: 'tallystick',
  };
  const typeOf = (view: object) =>
    eventColumnsAt(80)
      .find(({ title }) => title === 'TYPE')!
      .value(view as never);
  expect(typeOf({ ...event, claimed: true })).toBe('delivery.gap (claimed)');
  expect(typeOf(event)).toBe('delivery.gap');
  expect(eventLine({ ...event, claimed: true }, 80)).toContain('delivery.gap (claimed)');
});

test('a terminal that is wide enough shows the id that tally show takes', () => {
  const titles = (width: number) => eventColumnsAt(width).map(({ title }) => title);
  expect(titles(120)).toContain('ID');
  expect(titles(80)).not.toContain('ID');
  expect(tailHeading(80)).toMatch(/^ {3}SEQ {2}TIME +TYPE +ACTOR +TARGET +OUTCOME$/);
});
