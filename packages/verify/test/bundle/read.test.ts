import { expect, test } from 'vitest';
import { plain, records, some, step } from '../../../../spec/vectors/generator/bundle-parts.ts';
import { linesOf, seal } from '../../../../spec/vectors/generator/bundle-writer.ts';
import { trusted } from '../../../../spec/vectors/generator/fixture.ts';
import { readBundle } from '../../src/index.ts';
import { bundleOf, collect, pieces, stream, utf8 } from '../fixture.ts';

const read = async (bytes: Uint8Array) => await collect(readBundle(stream(bytes)));

test('a whole chain: header, checkpoint, consistency and the bytes of each record, verbatim', async () => {
  const [header, checkpoint, key, consistency, ...rest] = await read(
    bundleOf({ ...plain, between: [{ key: trusted }, { consistency: { ...step.consistency, from: 5 } }] }),
  );
  expect(header).toEqual({
    kind: 'header',
    version: 1,
    tenantId: 'acme',
    origin: 'audit.example.com/acme/1',
    epoch: 1,
    first: 0,
    last: 4,
    complete: true,
  });
  expect(checkpoint).toEqual({ kind: 'checkpoint', note: plain.checkpoints[0] });
  expect(key).toEqual({ kind: 'key', key: trusted });
  expect(consistency).toMatchObject({ kind: 'consistency', from: 5, to: 5 });
  expect(rest).toEqual(records.map(({ text }) => ({ kind: 'record', text })));
});

test('a part: each record is followed by its proof', async () => {
  const entries = (await read(bundleOf(some))).slice(2);
  expect(entries.map((entry) => (entry.kind === 'proof' ? entry.index : entry.kind))).toEqual([
    'record',
    1,
    'record',
    3,
    'record',
    4,
  ]);
});

test('entries come as they are read, and the damage where it stands', async () => {
  const bytes = bundleOf(plain);
  const reading = readBundle(pieces(bytes.subarray(0, bytes.length - 3)));
  for (let entry = 0; entry < 7; entry++) expect((await reading.next()).done).toBe(false);
  await expect(reading.next()).rejects.toMatchObject({ name: 'BundleError', code: 'BUNDLE_TRUNCATED' });
});

test.each([
  ['a byte-order mark', (text: string) => `\ufeff${text}`],
  ['a carriage return', (text: string) => text.replace('\n', '\r\n')],
  ['one byte of a record', (text: string) => text.replace('u-3', 'u-4')],
  ['one member more in a line', (text: string) => text.replace('{"checkpoint"', '{"x":1,"checkpoint"')],
  ['a second end', (text: string) => text + text.split('\n').at(-2)],
])('%s is damage', async (_, change) => {
  const text = seal(linesOf(plain));
  expect(change(text)).not.toBe(text);
  await expect(read(utf8(`${change(text).trimEnd()}\n`))).rejects.toMatchObject({ code: 'BUNDLE_DAMAGED' });
});
