import { crc32 } from 'node:zlib';

/** A file of an archive that is written byte by byte. */
export interface ZipFile {
  readonly name: string;
  readonly data: Uint8Array;
  /** In the header before the data, where it differs from the directory. */
  readonly header?: { readonly name?: string; readonly method?: number; readonly size?: number };
  /** Whether the data is deflated: into blocks that are stored, so that the bytes do not depend on a version of zlib. */
  readonly isDeflated?: boolean;
  /** Compression that is stated. @defaultValue that of the data */
  readonly method?: number;
  /** Size that is stated. @defaultValue that of the data */
  readonly size?: number;
  /** Flags that are stated. Bit 3 adds a descriptor behind the data. */
  readonly flags?: number;
  readonly comment?: string;
  /** Not in the directory. */
  readonly isHidden?: boolean;
  /** The raw name in the directory, beside a field that states `name` again. */
  readonly listedAs?: string;
}

/** How the end of the archive differs from what it should state. */
export interface ZipEnd {
  readonly comment?: string;
  /** Added to the stated offset and size of the directory. */
  readonly offset?: number;
  readonly size?: number;
  /** In the place between the files and the directory. */
  readonly before?: Uint8Array;
}

const hasDescriptor = 0x8;

/** A zip archive (PKWARE APPNOTE) that is the same everywhere. */
export function zip(files: readonly ZipFile[], end: ZipEnd = {}): Uint8Array {
  const parts: Buffer[] = [];
  const directory: Buffer[] = [];
  let offset = 0;
  let count = 0;
  for (const file of files) {
    const { name, data, header = {}, comment = '', flags = 0 } = file;
    const packed = file.isDeflated === true ? deflated(data) : Buffer.from(data);
    const method = file.method ?? (file.isDeflated === true ? 8 : 0);
    const size = file.size ?? data.length;
    const checksum = crc32(data);
    const hasSizes = (flags & hasDescriptor) === 0;
    const own = header.name ?? name;
    const local = Buffer.alloc(30);
    local.writeUInt32LE(0x04034b50);
    local.writeUInt16LE(20, 4);
    local.writeUInt16LE(flags, 6);
    local.writeUInt16LE(header.method ?? method, 8);
    local.writeUInt32LE(hasSizes ? checksum : 0, 14);
    local.writeUInt32LE(hasSizes ? packed.length : 0, 18);
    local.writeUInt32LE(hasSizes ? (header.size ?? size) : 0, 22);
    local.writeUInt16LE(own.length, 26);
    const descriptor = Buffer.alloc(hasSizes ? 0 : 16);
    if (!hasSizes) {
      descriptor.writeUInt32LE(0x08074b50);
      descriptor.writeUInt32LE(checksum, 4);
      descriptor.writeUInt32LE(packed.length, 8);
      descriptor.writeUInt32LE(size, 12);
    }
    const whole = Buffer.concat([local, Buffer.from(own), packed, descriptor]);
    parts.push(whole);
    if (file.isHidden !== true) {
      const listed = file.listedAs ?? name;
      const extra = file.listedAs === undefined ? Buffer.alloc(0) : unicodePath(listed, name);
      const entry = Buffer.alloc(46);
      entry.writeUInt32LE(0x02014b50);
      entry.writeUInt16LE(20, 4);
      entry.writeUInt16LE(20, 6);
      entry.writeUInt16LE(flags, 8);
      entry.writeUInt16LE(method, 10);
      entry.writeUInt32LE(checksum, 16);
      entry.writeUInt32LE(packed.length, 20);
      entry.writeUInt32LE(size, 24);
      entry.writeUInt16LE(listed.length, 28);
      entry.writeUInt16LE(extra.length, 30);
      entry.writeUInt16LE(comment.length, 32);
      entry.writeUInt32LE(offset, 42);
      directory.push(entry, Buffer.from(listed), extra, Buffer.from(comment));
      count++;
    }
    offset += whole.length;
  }
  const before = Buffer.from(end.before ?? new Uint8Array());
  const listing = Buffer.concat(directory);
  const tail = Buffer.alloc(22);
  tail.writeUInt32LE(0x06054b50);
  tail.writeUInt16LE(count, 8);
  tail.writeUInt16LE(count, 10);
  tail.writeUInt32LE(listing.length + (end.size ?? 0), 12);
  tail.writeUInt32LE(offset + before.length + (end.offset ?? 0), 16);
  tail.writeUInt16LE((end.comment ?? '').length, 20);
  return new Uint8Array(Buffer.concat([...parts, before, listing, tail, Buffer.from(end.comment ?? '')]));
}

/** One block of RFC 1951 that is stored, and the last one. */
function deflated(data: Uint8Array): Buffer {
  if (data.length > 0xffff) throw new Error('the data needs several blocks');
  const head = Buffer.alloc(5);
  head.writeUInt8(1);
  head.writeUInt16LE(data.length, 1);
  head.writeUInt16LE(data.length ^ 0xffff, 3);
  return Buffer.concat([head, data]);
}

/** The Info-ZIP field that replaces the name of a file. */
function unicodePath(listed: string, name: string): Buffer {
  const field = Buffer.alloc(9);
  field.writeUInt16LE(0x7075);
  field.writeUInt16LE(5 + name.length, 2);
  field.writeUInt8(1, 4);
  field.writeUInt32LE(crc32(Buffer.from(listed)), 5);
  return Buffer.concat([field, Buffer.from(name)]);
}
