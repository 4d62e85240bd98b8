import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { gzipSync } from 'node:zlib';
import { tempDir } from '@tallystick/testing';
import { afterAll, describe, expect, test } from 'vitest';
import { findSourceFiles, readDamaged } from '../../src/import/files.ts';

const dir = tempDir();
afterAll(() => dir.remove());
for (const name of ['b.jsonl', 'a.jsonl', 'a[1].jsonl', 'deep/er/c.jsonl']) {
  mkdirSync(join(dir.path, name, '..'), { recursive: true });
  writeFileSync(join(dir.path, name), name);
}

const processContext = (stdin: Uint8Array[] = []) => ({ cwd: dir.path, stdin: Readable.from(stdin) });
const names = async (...args: string[]) =>
  (await findSourceFiles(args, processContext())).map(({ name }) => name);

async function read(...chunks: Uint8Array[]): Promise<{ text: string; damage: string[] }> {
  const [file] = await findSourceFiles(['-'], processContext(chunks));
  const parts: Uint8Array[] = [];
  const damage: string[] = [];
  for await (const part of readDamaged(file!)) {
    if (part instanceof Uint8Array) parts.push(part);
    else damage.push(part.reason);
  }
  return { text: Buffer.concat(parts).toString(), damage };
}

describe('which files', () => {
  test.each([
    [
      ['b.jsonl', 'a.jsonl'],
      ['b.jsonl', 'a.jsonl'],
    ],
    [['*.jsonl'], ['a.jsonl', 'a[1].jsonl', 'b.jsonl']],
    [['**/c.jsonl'], ['deep/er/c.jsonl']],
    [
      ['a.jsonl', '{a,b}.jsonl'],
      ['a.jsonl', 'b.jsonl'],
    ],
    [['a[1].jsonl'], ['a[1].jsonl']],
    [['-'], ['-']],
  ])('%j', async (args, expected) => {
    expect(await names(...args)).toEqual(expected);
  });

  test.each([
    ['missing.jsonl', 'no file matches missing.jsonl'],
    ['*.missing', 'no file matches *.missing'],
    ['deep', 'deep is a directory'],
  ])('%s', async (arg, message) => {
    await expect(names('a.jsonl', arg)).rejects.toThrow(message);
  });
});

describe('what is read', () => {
  const bytes = (text: string) => Buffer.from(text);

  test.each([
    ['plain', [bytes('abc')], 'abc'],
    ['nothing', [], ''],
    ['one byte', [bytes('a')], 'a'],
    ['byte by byte', [...bytes('abc')].map((byte) => Buffer.from([byte])), 'abc'],
    ['gzip', [gzipSync('abc')], 'abc'],
    ['gzip byte by byte', [...gzipSync('abc')].map((byte) => Buffer.from([byte])), 'abc'],
    ['gzip of several members', [gzipSync('abc'), gzipSync('def')], 'abcdef'],
    ['gzip of nothing', [gzipSync('')], ''],
  ])('%s', async (_, chunks, expected) => {
    expect(await read(...chunks)).toEqual({ text: expected, damage: [] });
  });

  test('gzip that was cut off is damage, not an end', async () => {
    const { damage } = await read(gzipSync('abc'.repeat(1_000)).subarray(0, 20));
    expect(damage).toEqual(['the gzip data ends too early']);
  });
});
