import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { SpooledEvent } from '../../src/spool/requests.ts';
import { SpoolFile } from '../../src/spool/spool-file.ts';

let directory: string;
const open: SpoolFile[] = [];
const openFile = () => {
  const file = new SpoolFile(directory);
  open.push(file);
  return file;
};
beforeEach(() => {
  directory = join(mkdtempSync(join(tmpdir(), 'spool-')), 'nested');
});
afterEach(() => {
  for (const file of open.splice(0)) file.close();
  rmSync(directory, { recursive: true, force: true });
});

const event = (row: number, text = `{"n":${row}}`): SpooledEvent => ({
  row,
  tenantId: 'acme',
  sequence: row,
  id: `id-${row}`,
  eventType: 'a.b',
  createdAt: 1_000 + row,
  bytes: Buffer.byteLength(text),
  text,
});
const append = (file: SpoolFile, producerId: string, events: SpooledEvent[], gaps = [] as never[]) =>
  file.append({ producerId, events, gaps });
const read = (file: SpoolFile, ownProducerId = 'me', maxEvents = 100, maxBytes = 1e6) =>
  file.read({ op: 'read', ownProducerId, afterRow: 0, settledRow: 0, maxEvents, maxBytes });
const settle = (file: SpoolFile, producerId: string, throughRow: number, gapsDeclared = 0) =>
  file.settle({ op: 'settle', producerId, throughRow, gapsDeclared, lost: [], refused: undefined });

describe('the queue', () => {
  // Such events counted as spooled, and were lost with the process.
  test('accepts no events after its file was removed', () => {
    const file = openFile();
    append(file, 'me', [event(1)]);
    rmSync(directory, { recursive: true });
    expect(() => append(file, 'me', [event(2)])).toThrow('was removed');
    expect(read(file)?.events).toEqual([event(1)]);
    const another = openFile();
    append(another, 'me', [event(1)]);
    expect(() => append(file, 'me', [event(2)])).toThrow('was removed');
  });

  test('returns the appended events in order, also after it was closed', () => {
    const first = openFile();
    expect(first.open()).toEqual({ nextRow: 1, events: 0, bytes: 0, oldest: undefined });
    append(first, 'me', [event(1), event(2)]);
    append(first, 'me', [event(3)]);
    first.close();
    open.pop();
    const second = openFile();
    expect(second.open()).toEqual({ nextRow: 4, events: 3, bytes: 21, oldest: 1_001 });
    expect(read(second)).toEqual({
      producerId: 'me',
      events: [event(1), event(2), event(3)],
      gaps: [],
      final: [],
    });
    settle(second, 'me', 2);
    expect(read(second)?.events).toEqual([event(3)]);
    settle(second, 'me', 3);
    expect(read(second)).toBeUndefined();
  });

  test('reads no more than the given number of events and bytes, but at least one event', () => {
    const file = openFile();
    append(file, 'me', [event(1), event(2), event(3)]);
    expect(read(file, 'me', 2)?.events).toHaveLength(2);
    expect(read(file, 'me', 9, 14)?.events).toHaveLength(2);
    expect(read(file, 'me', 9, 1)?.events).toHaveLength(1);
  });

  test('keeps every character of every text', () => {
    const file = openFile();
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 200 }), (value) => {
        const text = JSON.stringify({ value: value.toWellFormed() });
        append(file, 'me', [event(1, text)]);
        expect(read(file)?.events[0]?.text).toBe(text);
        settle(file, 'me', 1);
      }),
      { numRuns: 50 },
    );
  });

  test('a failed append adds nothing', () => {
    const file = openFile();
    append(file, 'me', [event(2)]);
    expect(() => append(file, 'me', [event(1), event(2)])).toThrow();
    expect(read(file)?.events.map(({ row }) => row)).toEqual([2]);
  });
});

test("an earlier producer's events are read with its producer id, then its gaps and its end", () => {
  const file = openFile();
  const gap = { tenant_id: 'acme', from: 3, to: 9, reason: 'spool_full' } as const;
  file.append({ producerId: 'old', events: [event(1), event(2)], gaps: [gap] });
  file.recordEnd({
    op: 'recordEnd',
    producerId: 'old',
    gaps: [gap],
    final: [{ tenant_id: 'acme', final_seq: 9 }],
  });
  append(file, 'me', [event(3)]);
  expect(read(file)).toMatchObject({
    producerId: 'old',
    events: [event(1), event(2)],
    gaps: [gap],
    final: [],
  });
  settle(file, 'old', 2, 1);
  expect(read(file)).toMatchObject({ producerId: 'me', events: [event(3)] });
  settle(file, 'me', 3);
  expect(read(file)).toEqual({
    producerId: 'old',
    events: [],
    gaps: [],
    final: [{ tenant_id: 'acme', final_seq: 9 }],
  });
  file.forgetProducer({ op: 'forgetProducer', producerId: 'old' });
  expect(read(file)).toBeUndefined();
});

test('a refused event is kept as a dead letter with its reason', () => {
  const file = openFile();
  append(file, 'me', [event(1)]);
  const refused = { reason: 'status 400', events: [event(1)] };
  file.settle({ op: 'settle', producerId: 'me', throughRow: 1, gapsDeclared: 0, lost: [], refused });
  file.close();
  open.pop();
  const database = new DatabaseSync(join(directory, 'spool.sqlite'));
  expect(database.prepare('select audit_id, body, reason from dead_letter').all()).toEqual([
    { audit_id: 'id-1', body: '{"n":1}', reason: 'status 400' },
  ]);
  database.close();
});

describe('the directory', () => {
  test('can be used by one emitter at a time, and only read by its user', () => {
    openFile();
    expect(() => openFile()).toThrow('another emitter uses this spool directory');
    expect(statSync(directory).mode & 0o077).toBe(0);
  });

  test('with a newer format is left unchanged', () => {
    openFile().close();
    open.pop();
    const database = new DatabaseSync(join(directory, 'spool.sqlite'));
    database.exec('pragma user_version = 2');
    database.close();
    expect(() => openFile()).toThrow('format 2');
  });
});

// Node's own recursive mkdir never returned there, and its thread kept the process from ending.
test('a path where no directory can be created is refused immediately', {
  skip: process.platform !== 'linux',
}, () => {
  expect(() => new SpoolFile('/proc/tallystick/spool')).toThrow('ENOENT');
  expect(() => new SpoolFile('/dev/null')).toThrow('EEXIST');
});
