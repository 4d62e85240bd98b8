import { expect, test } from 'vitest';
import type { PendingEvent } from '../../src/event/pending-event.ts';
import { DiskBacklog } from '../../src/spool/disk-backlog.ts';

const event = (createdAt: number) => ({ createdAt, bytes: 10 }) as PendingEvent;

// When the disk had been empty for an hour, the next event counted as an hour old, since the last removed one was remembered.
test('the age of the oldest event starts anew when the disk was empty', () => {
  const backlog = new DiskBacklog();
  backlog.restore({ nextRow: 3, events: 2, bytes: 20, oldest: 1_000 });
  backlog.add(event(3_000));
  expect(backlog).toMatchObject({ events: 3, bytes: 30, oldest: 1_000 });
  backlog.remove([event(1_000), event(2_000), event(3_000)]);
  expect(backlog).toMatchObject({ events: 0, bytes: 0, oldest: undefined });
  backlog.add(event(9_000));
  expect(backlog.oldest).toBe(9_000);
});
