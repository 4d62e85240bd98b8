import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { deflateRawSync } from 'node:zlib';
import { tempDir } from '@tallystick/testing';
import { evidenceFileNames } from '@tallystick/verify';
import { afterAll, expect, test } from 'vitest';
import { ZipFile } from 'yazl';
import { EvidenceArchive } from '../../src/evidence/evidence-archive.ts';

const dir = tempDir();
afterAll(() => dir.remove());

/** A file of an archive that a forger writes byte by byte. */
interface Forged {
  readonly name: string;
  readonly data: Uint8Array;
  /** Name in front of the data, where it differs. */
  readonly localName?: string;
  /** Size that the archive states, where it differs. */
  readonly size?: number;
  readonly method?: number;
  readonly flags?: number;
  /** Uses the data of the file before. */
  readonly shared?: boolean;
  /** In the header in front of the data, where it differs. */
  readonly localMethod?: number;
  readonly localSize?: number;
  /** Not in the directory: programs that read the archive from its beginning see the file. */
  readonly hidden?: boolean;
  readonly comment?: string;
}

/** An archive as the format demands, except for what its files demand. */
function forge(files: readonly Forged[], comment = ''): Buffer {
  const parts: Buffer[] = [];
  const directory: Buffer[] = [];
  let offset = 0;
  let last = 0;
  for (const {
    name,
    data,
    localName = name,
    size = data.length,
    method = 8,
    flags = 0x800,
    shared = false,
    localMethod = method,
    localSize = size,
    hidden = false,
    comment: about = '',
  } of files) {
    const packed = method === 8 ? deflateRawSync(data) : Buffer.from(data);
    const at = shared ? last : offset;
    const fields = (header: Buffer, start: number, how: number, length: number) => {
      header.writeUInt16LE(20, start);
      header.writeUInt16LE(flags, start + 2);
      header.writeUInt16LE(how, start + 4);
      header.writeUInt32LE(packed.length, start + 14);
      header.writeUInt32LE(length, start + 18);
    };
    const local = Buffer.alloc(30);
    local.writeUInt32LE(0x04034b50);
    fields(local, 4, localMethod, localSize);
    local.writeUInt16LE(Buffer.byteLength(localName), 26);
    const central = Buffer.alloc(46);
    central.writeUInt32LE(0x02014b50);
    central.writeUInt16LE(20, 4);
    fields(central, 6, method, size);
    central.writeUInt16LE(Buffer.byteLength(name), 28);
    central.writeUInt16LE(about.length, 32);
    central.writeUInt32LE(at, 42);
    if (!hidden) directory.push(central, Buffer.from(name), Buffer.from(about));
    last = at;
    if (shared) continue;
    const whole = Buffer.concat([local, Buffer.from(localName), packed]);
    parts.push(whole);
    offset += whole.length;
  }
  const listed = Buffer.concat(directory);
  const end = Buffer.alloc(22);
  end.writeUInt32LE(0x06054b50);
  const entries = files.filter(({ hidden }) => hidden !== true).length;
  end.writeUInt16LE(entries, 8);
  end.writeUInt16LE(entries, 10);
  end.writeUInt32LE(listed.length, 12);
  end.writeUInt32LE(offset, 16);
  end.writeUInt16LE(comment.length, 20);
  return Buffer.concat([...parts, listed, end, Buffer.from(comment)]);
}

const text = Buffer.from('a line\n'.repeat(100));
const plain: readonly Forged[] = evidenceFileNames.map((name) => ({ name, data: text }));
const at = (name: string, changes: Partial<Forged>) =>
  plain.map((file) => (file.name === name ? { ...file, ...changes } : file));

let written = 0;
async function openArchive(bytes: Uint8Array): Promise<EvidenceArchive> {
  const path = join(dir.path, `${written++}.zip`);
  writeFileSync(path, bytes);
  return await EvidenceArchive.open(path);
}

/** Opens an archive and reads all its files, as the verification does. */
async function readAll(bytes: Uint8Array): Promise<string[]> {
  using archive = await openArchive(bytes);
  const texts: string[] = [];
  for (const name of evidenceFileNames) texts.push(await archive.text(name, 1 << 20));
  return texts;
}

test('an archive of another program is read, compressed or not, several files side by side', async () => {
  expect(await readAll(forge(plain))).toEqual(evidenceFileNames.map(() => text.toString()));
  const zip = new ZipFile();
  for (const name of evidenceFileNames) zip.addBuffer(text, name, { compress: name !== 'checkpoint' });
  zip.end();
  using archive = await openArchive(await buffer(zip.outputStream as Readable));
  const streams = evidenceFileNames.map((name) => archive.bytes(name));
  const firsts = await Promise.all(streams.map(async (stream) => (await stream.next()).value));
  expect(firsts.map((bytes) => Buffer.from(bytes as Uint8Array).toString())).toEqual(
    evidenceFileNames.map(() => text.toString()),
  );
  await Promise.all(streams.map((stream) => stream.return(undefined)));
});

const zeros = Buffer.alloc(65 << 20);

test.each<readonly [string, Uint8Array, RegExp]>([
  ['a file less', forge(plain.slice(1)), /4 files, not 5/],
  ['a file more', forge([...plain, { name: 'README', data: text }]), /6 files, not 5/],
  ['a file twice', forge([...plain.slice(1), plain[1]!]), /checkpoint twice/],
  ['another file', forge(at('checkpoint', { name: 'Checkpoint' })), /does not belong/],
  [
    'a path out of the folder',
    forge(at('checkpoint', { name: '../checkpoint' })),
    /damaged: .*relative path/,
  ],
  ['an absolute path', forge(at('checkpoint', { name: '/checkpoint' })), /damaged: .*absolute path/],
  ['a path with a backslash', forge(at('checkpoint', { name: '..\\checkpoint' })), /damaged: .*characters/],
  ['a path with a drive', forge(at('checkpoint', { name: 'C:/checkpoint' })), /damaged: .*absolute path/],
  ['a folder', forge(at('checkpoint', { name: 'checkpoint/' })), /does not belong/],
  ['another name in front of the data', forge(at('checkpoint', { localName: 'checkpoinT' })), /two names/],
  ['a size that is too small', forge(at('checkpoint', { size: 10 })), /damaged: .*too many bytes/],
  ['a size that is too large', forge(at('checkpoint', { size: 1_000 })), /damaged: .*not enough bytes/],
  ['an encrypted file', forge(at('checkpoint', { flags: 0x801 })), /encrypted/],
  ['an unknown compression', forge(at('checkpoint', { method: 12 })), /unknown way/],
  [
    'a file that is compressed far too well',
    forge(at('records.jsonl', { data: zeros })),
    /compressed more than 200 times/,
  ],
  [
    'a short file that is long',
    forge(at('manifest', { data: zeros.subarray(0, 2 << 20) })),
    /manifest is too long/,
  ],
  ['a file that is not UTF-8', forge(at('checkpoint', { data: Buffer.from([0xff, 0xfe]) })), /not UTF-8/],
  [
    'a file before the first one that is not in its directory',
    forge([{ name: 'events.csv', data: text, hidden: true }, ...plain]),
    /bytes that belong to no file/,
  ],
  [
    'a file between two others that is not in its directory',
    forge(plain.toSpliced(2, 0, { name: 'events.csv', data: text, hidden: true })),
    /bytes that belong to no file/,
  ],
  [
    'a file after the last one that is not in its directory',
    forge([...plain, { name: 'events.csv', data: Buffer.alloc(0), hidden: true }]),
    /bytes that belong to no file/,
  ],
  [
    'another compression in front of the data',
    forge(at('checkpoint', { localMethod: 0 })),
    /two kinds of compression/,
  ],
  ['another size in front of the data', forge(at('checkpoint', { localSize: 10 })), /two sizes/],
  ['a comment, which programs show', forge(plain, 'verified: complete'), /a comment/],
  ['a comment on a file', forge(at('checkpoint', { comment: 'verified' })), /a comment/],
  ['bytes behind its end', Buffer.concat([forge(plain), Buffer.from('x')]), /damaged/],
  ['its first half only', forge(plain).subarray(0, 300), /damaged/],
  ['no end', Buffer.from('PK\u0003\u0004'), /damaged/],
  ['damaged data', damagedData(), /damaged/],
])('an archive with %s is refused', async (_, bytes, message) => {
  await expect(readAll(bytes)).rejects.toMatchObject({
    code: 'EVIDENCE_MALFORMED',
    message: expect.stringMatching(message),
  });
});

test('an archive with two directories is refused, whichever of them a program finds', async () => {
  const first = forge(plain);
  const directory = first.subarray(first.readUInt32LE(first.length - 6), -22);
  // A file without compression contains a whole directory, and the end of the archive names its place.
  const holding = forge([{ name: 'manifest', data: directory, method: 0 }, ...plain.slice(1)]);
  const inside = Buffer.from(holding);
  inside.writeUInt32LE(30 + 'manifest'.length, inside.length - 6);
  await expect(readAll(inside)).rejects.toMatchObject({ code: 'EVIDENCE_MALFORMED' });
  // Some programs take the size of the directory instead, and count from the end.
  const shorter = Buffer.from(first);
  shorter.writeUInt32LE(directory.length - 60, shorter.length - 10);
  await expect(readAll(shorter)).rejects.toMatchObject({ message: 'the archive has two directories' });
  const fewer = Buffer.from(first);
  fewer.writeUInt16LE(1, fewer.length - 14);
  await expect(readAll(fewer)).rejects.toMatchObject({ message: 'the archive has two directories' });
});

test('files that share their bytes are refused', async () => {
  // Each file states all bytes of the one before as its own, so the archive would grow when it is unpacked.
  const large = Buffer.from(Array.from({ length: 40_000 }, (_, index) => (index * 7919) % 251));
  const files = evidenceFileNames.map((name, index) => ({
    name,
    localName: name,
    data: large,
    method: 0,
    shared: index > 0,
  }));
  await expect(readAll(forge(files))).rejects.toMatchObject({ code: 'EVIDENCE_MALFORMED' });
});

test('an error of the file system stays one', async () => {
  await expect(EvidenceArchive.open(join(dir.path, 'none.zip'))).rejects.toMatchObject({ code: 'ENOENT' });
});

function damagedData(): Buffer {
  const bytes = forge(plain);
  // The first bytes of compressed data, behind the header and the name.
  bytes.fill(0xff, 30 + 'manifest'.length, 30 + 'manifest'.length + 4);
  return bytes;
}
