import { createHash } from 'node:crypto';
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import type { AuditEvent } from '@tallystick/event';
import { tempDir } from '@tallystick/testing';
import { afterAll, describe, expect, test } from 'vitest';
import { findSourceFiles } from '../../src/import/files.ts';
import { type FormatName, formats } from '../../src/import/formats.ts';
import {
  type ImportOptions,
  type ImportTotals,
  importFiles,
  type SubmitResult,
} from '../../src/import/run.ts';
import type { Rejection } from '../../src/import/source-events.ts';
import { fixture, originalOf } from './map-fixture.ts';

const dir = tempDir();
afterAll(() => dir.remove());

/** A store that keeps events by identity, and refuses those whose actor is "mallory". */
class Store {
  readonly events = new Map<string, AuditEvent>();
  readonly contents = new Set<string>();
  readonly batches: number[] = [];

  submit = async (events: readonly string[]): Promise<SubmitResult[]> => {
    this.batches.push(events.length);
    return events.map((text) => {
      this.contents.add(text);
      const event = JSON.parse(text) as AuditEvent;
      if (event.actor_id === 'mallory') {
        return { status: 'rejected', error: { code: 'NO', message: 'is refused', pointer: '/actor_id' } };
      }
      const isNew = !this.events.has(event.audit_id);
      this.events.set(event.audit_id, event);
      const { audit_id, tenant_id } = event;
      const at = { sequence_number: 1, record_hash: '', epoch: 1, ingested_at: '' };
      return { status: isNew ? 'chained' : 'duplicate', receipt: { audit_id, tenant_id, ...at } };
    });
  };
}

const emptyTotals = (): ImportTotals => ({
  files: 0,
  events: 0,
  imported: 0,
  duplicate: 0,
  rejected: 0,
  bytes: 0,
});

const optionsOf = (format: FormatName, store: Store): ImportOptions => ({
  format: formats[format],
  map: { tenantOf: () => 'acme' },
  submit: store.submit,
  now: Date.now,
  onRejected: () => {},
});

async function run(
  format: FormatName,
  contents: Record<string, string | Uint8Array>,
  store = new Store(),
  more: Partial<ImportOptions> = {},
) {
  for (const [name, content] of Object.entries(contents)) writeFileSync(join(dir.path, name), content);
  const totals: ImportTotals = { files: 0, events: 0, imported: 0, duplicate: 0, rejected: 0, bytes: 0 };
  const rejections: Rejection[] = [];
  const files = await findSourceFiles(Object.keys(contents), { cwd: dir.path, stdin: process.stdin });
  const options: ImportOptions = {
    format: formats[format],
    map: { tenantOf: () => 'acme' },
    submit: store.submit,
    now: Date.now,
    onRejected: (rejection) => void rejections.push(rejection),
    ...more,
  };
  await importFiles(files, options, totals);
  return { totals, rejections, store };
}

test('three stages of one auditID are 3, then 3 duplicates; the originals come back byte for byte', async () => {
  const file = fixture('k8s-three-stages.jsonl');
  const { store, totals } = await run('k8s-audit', { 'audit.log.gz': gzipSync(file) });
  expect(totals).toMatchObject({ files: 1, events: 3, imported: 3, duplicate: 0, rejected: 0 });
  const again = await run('k8s-audit', { 'renamed.log': file }, store);
  expect(again.totals).toMatchObject({ imported: 0, duplicate: 3, rejected: 0 });
  expect([...store.events.values()].map(originalOf).join('\n')).toBe(file.toString().trimEnd());
});

test('the same lines twice are only duplicates, two equal lines in one file are two events', async () => {
  const file = fixture('events.jsonl');
  const { store, totals } = await run('jsonl', { 'a.jsonl': file });
  expect(totals).toMatchObject({ events: 5, imported: 5, duplicate: 0 });
  const longer = `${file}${file.toString().split('\n')[1]}\n`;
  const again = await run('jsonl', { 'a.jsonl': longer }, store);
  expect(again.totals).toMatchObject({ imported: 1, duplicate: 5 });
});

test('bad events are reported with their place, and all others are imported', async () => {
  const good = (actor: string) =>
    `{"timestamp":"2025-03-14T09:27:00Z","event_type":"auth.login","actor_type":"user","actor_id":"${actor}"}`;
  const lines = [
    good('a'),
    '{"half":',
    good('mallory'),
    '{"timestamp":"2025-03-14T09:27:00Z","event_type":"delivery.gap","actor_type":"user","actor_id":"x"}',
    good('\\u0000'),
    `{"timestamp":"2025-03-14T09:27:00Z","event_type":"a.b","type":${'"\\"'.repeat(5)}${'\\"'.repeat(90_000)}"}`,
    `{"x":"${'x'.repeat(300_000)}"}`,
    '{"timestamp":"2999-03-14T09:27:00Z","event_type":"a.b","actor_type":"user","actor_id":"x"}',
    good('b'),
  ];
  const bad = Buffer.concat([
    Buffer.from(`${lines.join('\n')}\n{"x":"`),
    Buffer.from([0xff]),
    Buffer.from('"}\n'),
  ]);
  const { totals, rejections } = await run('jsonl', { 'bad.jsonl': bad, 'good.jsonl': good('c') });
  expect(totals).toMatchObject({ files: 2, events: 11, imported: 3, rejected: 8 });
  const told = rejections.map(({ file, line, code }) => `${file}:${line} ${code}`);
  expect(told.sort()).toEqual([
    'bad.jsonl:10 UTF8_INVALID',
    'bad.jsonl:2 SOURCE_MALFORMED',
    'bad.jsonl:3 NO',
    'bad.jsonl:4 EVENT_TYPE_RESERVED',
    'bad.jsonl:5 STRING_NUL',
    'bad.jsonl:6 SOURCE_MALFORMED',
    'bad.jsonl:7 SOURCE_TOO_LARGE',
    'bad.jsonl:8 TIMESTAMP_AHEAD',
  ]);
  expect(rejections.find(({ line }) => line === 3)?.reason).toBe('/actor_id is refused');
});

const record = (members: object) =>
  JSON.stringify({
    eventID: 'e1',
    eventTime: '2025-03-14T09:26:53Z',
    eventSource: 's3.amazonaws.com',
    eventName: 'GetObject',
    ...members,
  });

describe('a record that does not fit into an event as text', () => {
  const only = async (text: string, format: FormatName = 'cloudtrail') => {
    const { totals, store } = await run(format, { 'big.json': text });
    expect(totals).toMatchObject({ imported: 1, rejected: 0 });
    return [...store.events.values()][0]!;
  };
  const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');

  test('is kept whole in base64, which needs no escapes', async () => {
    const text = record({ filler: '"'.repeat(80_000) });
    const { source_payload } = (await only(text)).event_data!;
    expect(source_payload).toEqual({
      original_base64: Buffer.from(text).toString('base64'),
      sha256: sha256(text),
    });
  });

  test('is kept by hash and size if it is larger still, with the fields that were mapped', async () => {
    const text = record({
      userIdentity: { type: 'IAMUser', userName: 'nadia' },
      filler: 'x'.repeat(300_000),
    });
    const event = await only(text);
    expect(event).toMatchObject({ event_type: 'aws.s3.get_object', actor_id: 'nadia' });
    expect(event.event_data!.source_payload).toEqual({
      original_left_out: true,
      bytes: text.length,
      sha256: sha256(text),
    });
  });

  test('also an audit event with a request and a response of a megabyte each', async () => {
    const audit = {
      auditID: 'a1',
      stage: 'ResponseComplete',
      verb: 'update',
      user: { username: 'nadia' },
      objectRef: { resource: 'configmaps', namespace: 'default', name: 'big' },
      stageTimestamp: '2025-03-14T09:26:53.604118Z',
      requestObject: { data: 'x'.repeat(1 << 20) },
      responseObject: { data: 'x'.repeat(1 << 20) },
    };
    const event = await only(JSON.stringify(audit), 'k8s-audit');
    expect(event).toMatchObject({ actor_id: 'nadia', target_id: 'default/big' });
  });
});

describe('two events or one', () => {
  const line = '{"time":"2025-03-14T09:27:00Z","type":"login.failed","user":"root"}\n';
  const audit = (members: object) =>
    JSON.stringify({
      auditID: 'chosen-by-the-client',
      stage: 'ResponseComplete',
      verb: 'get',
      user: { username: 'dev' },
      objectRef: { resource: 'pods', namespace: 'a' },
      stageTimestamp: '2025-03-14T09:27:00.000001Z',
      ...members,
    });

  test('the same line in the files of two hosts is two events, the same file twice is one', async () => {
    const { store, totals } = await run('jsonl', { 'web-1.jsonl': line, 'web-2.jsonl': line });
    expect(totals).toMatchObject({ imported: 2, duplicate: 0 });
    const again = await run('jsonl', { 'web-1.jsonl': line, 'web-2.jsonl': line }, store);
    expect(again.totals).toMatchObject({ imported: 0, duplicate: 2 });
  });

  test('--origin makes a file that was copied to another directory the same file', async () => {
    const ids = async (...args: [path: string, from?: string]) => {
      const [path, from] = args;
      mkdirSync(join(dir.path, path, '..'), { recursive: true });
      writeFileSync(join(dir.path, path), line);
      const store = new Store();
      const files = await findSourceFiles([path], { cwd: dir.path, stdin: process.stdin }, from);
      await importFiles(files, optionsOf('jsonl', store), emptyTotals());
      return [...store.events.keys()];
    };
    expect(await ids('one/app.jsonl', 'web-1')).toEqual(await ids('two/app.jsonl', 'web-1'));
    expect(await ids('one/app.jsonl', 'web-1')).not.toEqual(await ids('one/app.jsonl', 'web-2'));
    expect(await ids('one/app.jsonl')).not.toEqual(await ids('two/app.jsonl'));
  });

  // A client chooses the auditID with a header, so it could keep its own request out of the chain.
  test('a request with the audit id of another one is a second event', async () => {
    const second = {
      verb: 'delete',
      user: { username: 'eve' },
      stageTimestamp: '2025-03-14T10:00:00.000001Z',
    };
    const lines = `${audit({})}\n${audit(second)}\n`;
    const { totals, store } = await run('k8s-audit', { 'audit.log': lines });
    expect(totals).toMatchObject({ events: 2, imported: 2, duplicate: 0, rejected: 0 });
    expect([...store.events.values()].map(({ actor_id }) => actor_id)).toEqual(['dev', 'eve']);
    const again = await run('k8s-audit', { 'audit.log': lines }, store);
    expect(again.totals).toMatchObject({ imported: 0, duplicate: 2 });
  });

  test.each([
    ['cloudtrail', record({ userAgent: 'a  "b" \\\\ c\\' })],
    ['k8s-audit', audit({ annotations: { 'a b': ' c\td ' } })],
    ['jsonl', line.trim()],
  ] as const)('%s: the same record with other white space is the same event', async (format, text) => {
    const { store } = await run(format, { 'same.log': text });
    const spaced = text.replace(/^\{/, '{ \t').replace(/\}$/, ' \t}').replace('":', '" : ');
    const again = await run(format, { 'same.log': spaced }, store);
    expect(again.totals).toMatchObject({ imported: 0, duplicate: 1 });
    expect(store.contents.size).toBe(1);
  });
});

describe('damage', () => {
  const lines = (from: number, count: number) =>
    Array.from(
      { length: count },
      (_, n) => `{"timestamp":"2025-03-14T09:27:00Z","event_type":"a.b","actor_id":"user${from + n}"}\n`,
    ).join('');

  test('a checksum that differs: every event is imported, and the damage is reported', async () => {
    const bytes = gzipSync(`{"Records":[${record({ eventID: '1' })},${record({ eventID: '2' })}]}`);
    bytes[bytes.length - 8]! ^= 1;
    const { totals, rejections } = await run('cloudtrail', { 'crc.gz': bytes });
    expect(totals).toMatchObject({ imported: 2, rejected: 1 });
    expect(rejections[0]).toMatchObject({ code: 'SOURCE_UNREADABLE', line: 1 });
    expect(rejections[0]!.reason).toContain(`at byte ${bytes.length - 8} of the file`);
  });

  test('bytes that are not gzip between two members cost nothing but a report', async () => {
    const garbage = Buffer.concat([gzipSync(lines(0, 3)), Buffer.from('garbage'), gzipSync(lines(3, 3))]);
    const { totals, rejections } = await run('jsonl', { 'garbage.gz': garbage });
    expect(totals).toMatchObject({ imported: 6, rejected: 1 });
    expect(rejections[0]!.reason).toContain('7 bytes that are not gzip');
  });

  test('inside a member: what is before it and the next members are imported', async () => {
    // Stored blocks, so that the place of each line in the file is known.
    const damaged = gzipSync(lines(0, 4_000), { level: 0 });
    // The header of a block with the reserved type.
    const second = damaged.indexOf(Buffer.from('user1000'));
    const block = findStoredBlock(damaged, second);
    damaged[block] = 0x07;
    const { totals, rejections, store } = await run('jsonl', {
      'damaged.gz': Buffer.concat([damaged, gzipSync(lines(9_000, 5))]),
    });
    expect(rejections).toHaveLength(1);
    expect(rejections[0]!.code).toBe('SOURCE_UNREADABLE');
    const actors = new Set([...store.events.values()].map(({ actor_id }) => actor_id));
    for (const n of [0, 1, 2, 9_000, 9_004]) expect(actors).toContain(`user${n}`);
    const before = damaged
      .subarray(0, block)
      .toString('latin1')
      .match(/"user\d+"\}\n/g)!.length;
    expect(totals.imported).toBe(before + 5);
  });

  test('a file that can not be read does not end the import', async () => {
    symlinkSync('nowhere', join(dir.path, 'dangling.unreadable'));
    writeFileSync(join(dir.path, 'whole.unreadable'), lines(0, 2));
    const store = new Store();
    const totals = emptyTotals();
    const rejections: Rejection[] = [];
    const files = await findSourceFiles(['*.unreadable'], { cwd: dir.path, stdin: process.stdin });
    const onRejected = (rejection: Rejection) => void rejections.push(rejection);
    await importFiles(files, { ...optionsOf('jsonl', store), onRejected }, totals);
    expect(totals).toMatchObject({ files: 2, imported: 2, rejected: 1 });
    expect(rejections).toMatchObject([{ file: 'dangling.unreadable', code: 'SOURCE_UNREADABLE' }]);
  });
});

/** Where the stored deflate block begins that follows a place in a gzip file. */
function findStoredBlock(gzip: Buffer, after: number): number {
  let at = 10;
  while (at <= after) at += 5 + gzip.readUInt16LE(at + 1);
  return at;
}

test('a gzip file that was cut off: the events before the cut are imported, the loss is reported, the next file is read', async () => {
  const file = fixture('k8s-three-stages.jsonl');
  const cut = Buffer.concat([gzipSync(file), gzipSync('{"kind"').subarray(0, 15)]);
  const { totals, rejections } = await run('k8s-audit', {
    'cut.gz': cut,
    'whole.json': fixture('k8s-event-list.json.txt'),
  });
  expect(totals).toMatchObject({ files: 2, imported: 6, rejected: 1 });
  expect(rejections).toMatchObject([{ file: 'cut.gz', line: 3, code: 'SOURCE_TRUNCATED' }]);
});

describe('batches', () => {
  const lines = (count: number) =>
    Array.from(
      { length: count },
      (_, n) => `{"timestamp":"2025-03-14T09:27:00Z","event_type":"a.b","actor_id":"user${n}"}\n`,
    ).join('');

  test('are bounded by events and by bytes, and keep the order', async () => {
    const { store } = await run('jsonl', { 'n.jsonl': lines(7) }, new Store(), { batchEvents: 3 });
    expect(store.batches).toEqual([3, 3, 1]);
    expect([...store.events.values()].map(({ actor_id }) => actor_id)).toEqual(
      Array.from({ length: 7 }, (_, n) => `user${n}`),
    );
    const small = await run('jsonl', { 'n.jsonl': lines(4) }, new Store(), { batchBytes: 1 });
    expect(small.store.batches).toEqual([1, 1, 1, 1]);
  });

  test('one that fails ends the import, and what was stored before is counted', async () => {
    const store = new Store();
    let sent = 0;
    const submit = async (events: readonly string[]) => {
      if (++sent === 2) throw new Error('the line is down');
      return await store.submit(events);
    };
    const totals: ImportTotals = { files: 0, events: 0, imported: 0, duplicate: 0, rejected: 0, bytes: 0 };
    writeFileSync(join(dir.path, 'n.jsonl'), lines(9));
    const files = await findSourceFiles(['n.jsonl'], { cwd: dir.path, stdin: process.stdin });
    const options: ImportOptions = {
      format: formats.jsonl,
      map: { tenantOf: () => 'acme' },
      submit,
      now: Date.now,
      onRejected: () => {},
      batchEvents: 3,
    };
    await expect(importFiles(files, options, totals)).rejects.toThrow('the line is down');
    expect(totals.imported).toBe(3);
    const again = await run('jsonl', { 'n.jsonl': lines(9) }, store);
    expect(again.totals).toMatchObject({ imported: 6, duplicate: 3 });
  });

  test('after a stop, the batch in flight is the last', async () => {
    const stopping = new AbortController();
    const store = new Store();
    const submit = async (events: readonly string[]) => {
      stopping.abort();
      return await store.submit(events);
    };
    const { totals } = await run('jsonl', { 'n.jsonl': lines(90), 'm.jsonl': lines(9) }, store, {
      submit,
      batchEvents: 10,
      stopped: stopping.signal,
    });
    expect(totals.imported).toBeGreaterThan(0);
    expect(totals.imported).toBeLessThan(90);
    expect(totals.imported).toBe(totals.events);
  });
});

test('memory does not grow with the file', async () => {
  // Two hundred batches of submissions, each of which is dropped; kept, they would be 60 MB of text and more.
  const record = JSON.stringify({
    eventID: '@',
    eventTime: '2025-03-14T09:26:53Z',
    eventSource: 's3.amazonaws.com',
    eventName: 'GetObject',
    filler: 'x'.repeat(600),
  });
  const text = `{"Records":[${Array.from({ length: 50_000 }, (_, n) => record.replace('@', `e${n}`)).join(',')}]}`;
  writeFileSync(join(dir.path, 'large.json'), text);
  const receipt = {
    audit_id: '',
    tenant_id: '',
    sequence_number: 1,
    record_hash: '',
    epoch: 1,
    ingested_at: '',
  };
  let most = 0;
  const submit = async (events: readonly string[]): Promise<SubmitResult[]> => {
    most = Math.max(most, process.memoryUsage().external);
    return events.map(() => ({ status: 'chained', receipt }));
  };
  const before = process.memoryUsage().external;
  const { totals } = await run('cloudtrail', { 'large.json': text }, new Store(), { submit });
  expect(totals.imported).toBe(50_000);
  expect(most - before).toBeLessThan(text.length / 2);
});
