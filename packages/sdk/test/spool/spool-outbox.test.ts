import { expect, test } from 'vitest';
import { MemoryBuffer } from '../../src/delivery/memory-buffer.ts';
import { SequenceTracker } from '../../src/delivery/sequence-tracker.ts';
import { AuditError } from '../../src/errors.ts';
import type { PendingEvent } from '../../src/event/pending-event.ts';
import { spoolDefaults } from '../../src/spool/options.ts';
import type { Request } from '../../src/spool/requests.ts';
import { SpoolOutbox } from '../../src/spool/spool-outbox.ts';
import { FakeClock, turns } from '../support/clock.ts';

/** An outbox whose spool simulates a fault. */
function setUp(fail: (request: Request) => boolean, left = 0) {
  const client = {
    failed: false,
    requests: [] as Request[],
    async request(request: Request) {
      client.requests.push(request);
      if (client.failed || fail(request)) throw new AuditError('SPOOL_FAILED', 'no');
      return (request.op === 'open' ? { nextRow: left + 1, events: left, bytes: 0 } : undefined) as never;
    },
    requestNow() {},
    end() {},
  };
  const clock = new FakeClock();
  const sequences = new SequenceTracker('me');
  const reports: string[] = [];
  const memory = new MemoryBuffer({ events: 10, bytes: 10_000 }, sequences);
  const outbox = new SpoolOutbox(
    { ...spoolDefaults, directory: '/nowhere', mode: 'always' },
    { memory, sequences, clock, redaction: false, report: (error) => reports.push(error.code), client },
  );
  const push = () =>
    outbox.push({
      tenantId: 't',
      sequence: sequences.next('t'),
      bytes: 10,
      text: '{}',
      position: 0,
      createdAt: 0,
    } as PendingEvent);
  return { outbox, client, clock, sequences, push, reports };
}

test('a full disk: events stay in memory, are delivered from there, and are written when there is room again', async () => {
  let full = true;
  const { outbox, clock, push, reports } = setUp((request) => full && request.op === 'append');
  await outbox.opened;
  push();
  push();
  await clock.advance(50);
  expect(reports).toContain('SPOOL_FAILED');
  expect(outbox).toMatchObject({ size: 2, spooledEvents: 0 });
  const batch = await outbox.next(10, 10_000);
  expect(batch?.events.map((event) => event.sequence)).toEqual([1, 2]);
  full = false;
  push();
  await clock.advance(50);
  expect(outbox).toMatchObject({ size: 3, spooledEvents: 3 });
  outbox.remove(batch!);
  expect(outbox).toMatchObject({ size: 1, spooledEvents: 1 });
});

test("the spool's thread failed: events on disk stay there, and others are sent from memory", async () => {
  const { outbox, client, clock, push } = setUp(() => false);
  await outbox.opened;
  push();
  await clock.advance(50);
  expect(outbox).toMatchObject({ size: 1, spooledEvents: 1 });
  client.failed = true;
  push();
  await clock.advance(50);
  expect(outbox).toMatchObject({ size: 1, spooledEvents: 1, owesDeclarations: false });
  expect((await outbox.next(10, 10_000))?.events.map((event) => event.sequence)).toEqual([2]);
});

// Events in memory were sent before those that could not be read, and settling them deleted all earlier rows, unsent.
test('a disk that can not be read: events on disk stay there, and others are sent from memory', async () => {
  const { outbox, client, clock, push, reports } = setUp((request) => request.op === 'read', 100);
  await outbox.opened;
  push();
  const batch = await outbox.next(10, 10_000);
  await clock.advance(50);
  expect(batch?.events.map((event) => event.sequence)).toEqual([1]);
  outbox.remove(batch!);
  await turns();
  expect(client.requests.map(({ op }) => op)).not.toContain('settle');
  expect(reports).toEqual(['SPOOL_FAILED']);
});

test('losses are written within the interval, also without events, and also those that occur during a write', async () => {
  const { client, clock, sequences, push, outbox } = setUp(
    (request) => request.op === 'append' && request.events.length > 0,
  );
  await outbox.opened;
  const lose = () => {
    const reason = push();
    if (reason !== undefined) sequences.markLost('t', sequences.finalSequences()[0]!.final_seq, reason);
  };
  for (let count = 0; count < 15; count++) lose();
  await turns();
  for (let count = 0; count < 3; count++) lose();
  await clock.advance(200);
  const written = client.requests.filter((request) => request.op === 'append').at(-1);
  expect(written).toMatchObject({ gaps: [{ tenant_id: 't', from: 11, to: 18 }] });
});
