import { smallDisk, tempDir } from '@tallystick/testing';
import { expect, test } from 'vitest';
import { MemoryBuffer } from '../../src/delivery/memory-buffer.ts';
import { SequenceTracker } from '../../src/delivery/sequence-tracker.ts';
import { AuditError } from '../../src/errors.ts';
import { createAuditEmitter } from '../../src/index.ts';
import { spoolDefaults } from '../../src/spool/options.ts';
import type { Request } from '../../src/spool/requests.ts';
import { SpoolFile } from '../../src/spool/spool-file.ts';
import { SpoolOutbox } from '../../src/spool/spool-outbox.ts';
import { MemoryTransport } from '../../src/transport/memory.ts';
import { FakeClock } from '../support/clock.ts';
import { someEvent } from '../support/events.ts';
import { skipWithout } from '../support/parts.ts';

/** An outbox with a real file, on a disk that is too full to delete events. */
async function setUp(directory: string, producerId: string) {
  const file = new SpoolFile(directory);
  const client = {
    failed: false,
    async request(request: Request) {
      if (request.op === 'settle' || request.op === 'forgetProducer')
        throw new AuditError('SPOOL_FAILED', 'full');
      return file[request.op as 'read'](request as never) as never;
    },
    requestNow() {},
    end() {},
  };
  const sequences = new SequenceTracker(producerId);
  const memory = new MemoryBuffer({ events: 100, bytes: 10_000 }, sequences);
  const outbox = new SpoolOutbox(
    { ...spoolDefaults, directory, mode: 'always' },
    { memory, sequences, clock: new FakeClock(), redaction: false, report: () => {}, client },
  );
  await outbox.opened;
  const push = () => {
    const sequence = sequences.next('t');
    const text = { id: `e${sequence}`, tenantId: 't', eventType: 'a.b', text: '{}', bytes: 2, createdAt: 1 };
    outbox.push({ ...text, sequence, waiter: undefined, sent: false, redacted: true, position: 0 });
  };
  return { outbox, push, file };
}

// A full disk can't delete either. Delivered events were at the front of the queue again, and the service received the same
// thousand events four hundred times in fifteen seconds. The events after them were never sent.
test('events that were delivered and can not be deleted are not sent again', async () => {
  using directory = tempDir();
  const { outbox, push, file } = await setUp(directory.path, 'p');
  for (let count = 0; count < 5; count++) push();
  const sent: number[] = [];
  for (let round = 0; round < 10; round++) {
    const batch = await outbox.next(2, 1_000);
    if (batch === undefined) break;
    sent.push(...batch.events.map((event) => event.sequence));
    outbox.remove(batch);
  }
  expect(sent).toEqual([1, 2, 3, 4, 5]);
  expect(outbox).toMatchObject({ size: 0, spooledEvents: 0, owesDeclarations: false });
  file.close();
});

test('the end of an earlier process that can not be deleted is not declared again', async () => {
  using directory = tempDir();
  {
    using left = new SpoolFile(directory.path);
    left.recordEnd({
      op: 'recordEnd',
      producerId: 'before',
      gaps: [],
      final: [{ tenant_id: 't', final_seq: 3 }],
    });
  }
  const { outbox, file } = await setUp(directory.path, 'p');
  const batch = await outbox.next(2, 1_000);
  expect(batch).toMatchObject({ events: [], final: [{ tenant_id: 't', final_seq: 3 }] });
  outbox.remove(batch!);
  expect(await outbox.next(2, 1_000)).toBeUndefined();
  expect(outbox.owesDeclarations).toBe(false);
  file.close();
});

test.for(['always', 'overflow'] as const)(
  'mode %s on a full disk: every event is delivered or declared as lost, once',
  async (mode, context) => {
    using disk = smallDisk(2 * 1024 * 1024);
    if (disk === undefined) return skipWithout(context, 'file systems to mount', 'root');
    let up = false;
    const transport = new MemoryTransport({
      intercept: () => {
        if (!up) throw new Error('down');
        return undefined;
      },
    });
    const emitter = createAuditEmitter({
      ...{ service: 's', transport, bufferSize: 500, flushOnExit: false },
      ...{ maxRetries: 0, probeIntervalMs: 5, flushIntervalMs: 5 },
      spool: { directory: disk.path, mode, fsyncIntervalMs: 1 },
    });
    for (let count = 0; count < 8_000; count++) {
      emitter.emit(someEvent({ context: { text: 'x'.repeat(400) } }));
      if (count % 100 === 0) await emitter.flush({ deadlineMs: 1 });
    }
    up = true;
    const report = await emitter.close();
    expect(report).toMatchObject({ emitted: 8_000, duplicates: 0, pending: 0, spooled: 0 });
    const declared = transport.gaps.reduce((sum, { from, to }) => sum + to - from + 1, 0);
    expect(report.dropped).toBeGreaterThan(0);
    expect([report.delivered, declared]).toEqual([8_000 - report.dropped, report.dropped]);
    expect(transport.events).toHaveLength(report.delivered);
  },
);
