import { expect, test } from 'vitest';
import { MemoryBuffer } from '../../src/delivery/buffer.ts';
import type { Entry } from '../../src/delivery/entry.ts';
import { Ledger } from '../../src/delivery/ledger.ts';
import { AuditError } from '../../src/errors.ts';
import { spoolDefaults } from '../../src/spool/options.ts';
import type { Request } from '../../src/spool/protocol.ts';
import { SpoolOutbox } from '../../src/spool/spool-outbox.ts';
import { FakeClock, turns } from '../support/clock.ts';

/** An outbox on a spool that plays a fault. */
function setUp(fail: (request: Request) => boolean, left = 0) {
  const client = {
    dead: false,
    asked: [] as Request[],
    async ask(request: Request) {
      client.asked.push(request);
      if (client.dead || fail(request)) throw new AuditError('SPOOL_FAILED', 'no');
      return (request.op === 'open' ? { nextRow: left + 1, events: left, bytes: 0 } : undefined) as never;
    },
    end() {},
  };
  const clock = new FakeClock();
  const ledger = new Ledger('me');
  const reports: string[] = [];
  const memory = new MemoryBuffer({ events: 10, bytes: 10_000 }, ledger);
  const outbox = new SpoolOutbox(
    { ...spoolDefaults, directory: '/nowhere', mode: 'always' },
    { memory, ledger, clock, redaction: false, report: (error) => reports.push(error.code), client },
  );
  const push = () =>
    outbox.push({
      tenantId: 't',
      sequence: ledger.number('t'),
      bytes: 10,
      text: '{}',
      row: 0,
      createdAt: 0,
    } as Entry);
  return { outbox, client, clock, ledger, push, reports };
}

test('a full disk: events stay in memory, are delivered from there, and written once there is room again', async () => {
  let full = true;
  const { outbox, clock, push, reports } = setUp((request) => full && request.op === 'append');
  await outbox.opened;
  push();
  push();
  await clock.advance(50);
  expect(reports).toContain('SPOOL_FAILED');
  expect(outbox).toMatchObject({ size: 2, durable: 0 });
  const load = await outbox.next(10, 10_000);
  expect(load?.entries.map((entry) => entry.sequence)).toEqual([1, 2]);
  full = false;
  push();
  await clock.advance(50);
  expect(outbox).toMatchObject({ size: 3, durable: 3 });
  outbox.remove(load!);
  expect(outbox).toMatchObject({ size: 1, durable: 1 });
});

test('a thread that died: what is on disk stays there, memory goes on alone', async () => {
  const { outbox, client, clock, push } = setUp(() => false);
  await outbox.opened;
  push();
  await clock.advance(50);
  expect(outbox).toMatchObject({ size: 1, durable: 1 });
  client.dead = true;
  push();
  await clock.advance(50);
  expect(outbox).toMatchObject({ size: 1, durable: 1, owes: false });
  expect((await outbox.next(10, 10_000))?.entries.map((entry) => entry.sequence)).toEqual([2]);
});

// Memory overtook what could not be read, and what it delivered took all rows before it off the disk, unsent.
test('a disk that can not be read: what is on it stays there, memory goes on alone', async () => {
  const { outbox, client, clock, push, reports } = setUp((request) => request.op === 'read', 100);
  await outbox.opened;
  push();
  const load = await outbox.next(10, 10_000);
  await clock.advance(50);
  expect(load?.entries.map((entry) => entry.sequence)).toEqual([1]);
  outbox.remove(load!);
  await turns();
  expect(client.asked.map(({ op }) => op)).not.toContain('settle');
  expect(reports).toEqual(['SPOOL_FAILED']);
});

test('losses are written within the interval, also when nothing else is, and also those of a write under way', async () => {
  const { client, clock, ledger, push, outbox } = setUp(
    (request) => request.op === 'append' && request.events.length > 0,
  );
  await outbox.opened;
  const lose = () => {
    const reason = push();
    if (reason !== undefined) ledger.lose('t', ledger.final()[0]!.final_seq, reason);
  };
  for (let count = 0; count < 15; count++) lose();
  await turns();
  for (let count = 0; count < 3; count++) lose();
  await clock.advance(200);
  const written = client.asked.filter((request) => request.op === 'append').at(-1);
  expect(written).toMatchObject({ gaps: [{ tenant_id: 't', from: 11, to: 18 }] });
});
