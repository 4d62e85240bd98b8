import { crc32, createInflateRaw, type InflateRaw } from 'node:zlib';

/** A part of a gzip file that can't be read. */
export interface GzipDamage {
  /** Place in the compressed file, in bytes from its start. */
  readonly offset: number;
  readonly reason: string;
  /** Whether content is missing here. False if all content before was read, and only its checksum differs. */
  readonly isGap: boolean;
  /** Whether the file ends here, within a member that was in order so far. */
  readonly endsEarly: boolean;
}

const headerBytes = 10;
const trailerBytes = 8;
/** Longest header (spec/bundle.md). A damaged header must not make the rest of the file look like a file name. */
const maxHeaderBytes = 64 << 10;

/**
 * Unpacks gzip (RFC 1952): one or several members, one after the other. Yields the content, and a {@link GzipDamage} in each place
 * that can't be read. After damage it continues with the next member, so a damaged member costs what follows in that member
 * alone. Zeros between members are padding, as for gzip(1).
 */
export async function* gunzipMembers(
  source: AsyncIterable<Uint8Array>,
): AsyncGenerator<Uint8Array | GzipDamage> {
  const input = new Input(source);
  /** Whether the bytes before the next header belong to a damaged member, which was reported. */
  let isAfterGap = false;
  for (;;) {
    const offset = input.offset;
    const next = await nextHeader(input);
    if (next === 'end of file') return;
    if (next === 'cut') {
      yield endOfFile(input, true);
      return;
    }
    if (typeof next === 'number') {
      if (isAfterGap) {
        isAfterGap = false;
        continue;
      }
      const reason = `${next} bytes that are not gzip follow at byte ${offset}`;
      yield { offset, reason, isGap: offset === 0, endsEarly: false };
      continue;
    }
    const end = yield* member(input);
    if (end === 'end of file') return;
    isAfterGap = end === 'damaged';
  }
}

/** @param isGap see {@link GzipDamage.isGap} */
function endOfFile({ offset, bytes }: Input, isGap: boolean): GzipDamage {
  return { offset: offset + bytes.length, reason: 'the gzip data ends too early', isGap, endsEarly: true };
}

/**
 * Skips padding up to the next header. Other bytes before it are skipped too: then the answer is their number. `cut` is a
 * header that the end of the file cuts short.
 */
async function nextHeader(input: Input): Promise<'header' | 'cut' | 'end of file' | number> {
  while ((await input.need(1)) && input.bytes[0] === 0) input.skip(1);
  let skipped = 0;
  for (;;) {
    const isWhole = await input.need(headerBytes);
    const { length } = input.bytes;
    if (length === 0) return skipped === 0 ? 'end of file' : skipped;
    if (beginsHeader(input.bytes)) {
      if (skipped > 0) return skipped;
      return isWhole ? 'header' : 'cut';
    }
    const next = input.bytes.indexOf(0x1f, 1);
    const step = next < 0 ? length : next;
    skipped += step;
    input.skip(step);
  }
}

/** Whether the bytes are a header of the only known method without reserved flags, or the beginning of one. */
function beginsHeader(bytes: Uint8Array): boolean {
  const [first = 0x1f, second = 0x8b, method = 8, flags = 0] = bytes;
  return first === 0x1f && second === 0x8b && method === 8 && flags < 0x20;
}

/** Skips a header, with the fields that its flags announce. */
async function skipHeader(input: Input): Promise<MemberEnd> {
  const flags = input.bytes[3]!;
  let length = headerBytes;
  if ((flags & 4) !== 0) {
    if (!(await input.need(length + 2))) return 'end of file';
    length += 2 + input.bytes[length]! + 256 * input.bytes[length + 1]!;
  }
  // A file name and a comment, each with a zero at its end.
  for (const flag of [8, 16]) {
    if ((flags & flag) === 0) continue;
    do {
      if (length >= maxHeaderBytes) return 'damaged';
      if (!(await input.need(length + 1))) return 'end of file';
    } while (input.bytes[length++] !== 0);
  }
  if ((flags & 2) !== 0) length += 2;
  if (length > maxHeaderBytes) return 'damaged';
  if (!(await input.need(length))) return 'end of file';
  input.skip(length);
  return 'complete';
}

type MemberEnd = 'complete' | 'damaged' | 'end of file';

/** Unpacks one member. */
async function* member(input: Input): AsyncGenerator<Uint8Array | GzipDamage, MemberEnd> {
  const begin = input.offset;
  const header = await skipHeader(input);
  if (header === 'end of file') yield endOfFile(input, true);
  if (header === 'damaged') {
    const reason = `the gzip header at byte ${begin} is longer than ${maxHeaderBytes} bytes`;
    yield { offset: begin, reason, isGap: true, endsEarly: false };
    input.skip(1);
  }
  if (header !== 'complete') return header;
  /** Reads ahead of `output`, so that the place of damage is known before the output reaches it. */
  const probe = new Inflater();
  const output = new Inflater();
  try {
    return yield* unpack(input, begin, probe, output);
  } finally {
    probe.close();
    output.close();
  }
}

async function* unpack(
  input: Input,
  begin: number,
  probe: Inflater,
  output: Inflater,
): AsyncGenerator<Uint8Array | GzipDamage, MemberEnd> {
  let sum = 0;
  let length = 0;
  while (!output.ended) {
    if (!(await input.need(1))) {
      yield endOfFile(input, true);
      return 'end of file';
    }
    const piece = Uint8Array.from(input.bytes.subarray(0, pieceBytes));
    await probe.feed(piece);
    // One byte at a time: inflate drops the content of the call in which it finds damage.
    const step = probe.error === undefined ? piece.length : 1;
    for (let at = 0; at < piece.length && !output.ended && output.error === undefined; at += step) {
      for (const content of await output.feed(piece.subarray(at, at + step))) {
        sum = crc32(content, sum);
        length += content.length;
        yield content;
      }
    }
    if (output.error !== undefined) {
      const reason = `the gzip data is damaged: ${output.error}`;
      yield { offset: input.offset, reason, isGap: true, endsEarly: false };
      input.skip(1);
      return 'damaged';
    }
    input.skip(output.ended ? output.bytesTaken - (output.bytesFed - piece.length) : piece.length);
  }
  if (!(await input.need(trailerBytes))) {
    yield endOfFile(input, false);
    return 'end of file';
  }
  const trailer = Buffer.from(input.bytes.subarray(0, trailerBytes));
  input.skip(trailerBytes);
  if (trailer.readUInt32LE(0) !== sum || trailer.readUInt32LE(4) !== length % 2 ** 32) {
    const reason = `the gzip checksum differs: content after byte ${begin} of the file may be damaged`;
    yield { offset: input.offset - trailerBytes, reason, isGap: false, endsEarly: false };
  }
  return 'complete';
}

const pieceBytes = 16 << 10;

/** Raw inflate, call by call. */
class Inflater {
  readonly #stream: InflateRaw = createInflateRaw();
  #content: Uint8Array[] = [];
  #fed: () => void = () => {};
  ended = false;
  error: string | undefined;
  bytesFed = 0;

  constructor() {
    this.#stream.on('data', (content: Uint8Array) => this.#content.push(content));
    this.#stream.on('end', () => {
      this.ended = true;
      this.#fed();
    });
    this.#stream.on('error', ({ message }) => {
      this.error ??= message;
      this.#fed();
    });
  }

  /** How many of the bytes belong to the member. */
  get bytesTaken(): number {
    return this.#stream.bytesWritten;
  }

  /** Feeds bytes. Returns the content that they complete. */
  async feed(bytes: Uint8Array): Promise<Uint8Array[]> {
    if (this.ended || this.error !== undefined) return [];
    this.bytesFed += bytes.length;
    await new Promise<void>((resolve) => {
      this.#fed = resolve;
      // The stream announces the end of the member right after the call that contains it.
      this.#stream.write(bytes, () => setImmediate(resolve));
    });
    const content = this.#content;
    this.#content = [];
    return content;
  }

  close(): void {
    this.#stream.destroy();
  }
}

/** Bytes of a source that were not used yet. */
class Input {
  readonly #source: AsyncIterator<Uint8Array>;
  bytes: Uint8Array = new Uint8Array();
  /** Place of `bytes` in the source. */
  offset = 0;

  constructor(source: AsyncIterable<Uint8Array>) {
    this.#source = source[Symbol.asyncIterator]();
  }

  /** Reads until there are at least `count` bytes. False if the source has fewer. */
  async need(count: number): Promise<boolean> {
    while (this.bytes.length < count) {
      const next = await this.#source.next();
      if (next.done === true) return false;
      this.bytes = this.bytes.length === 0 ? next.value : Buffer.concat([this.bytes, next.value]);
    }
    return true;
  }

  skip(count: number): void {
    this.bytes = this.bytes.subarray(count);
    this.offset += count;
  }
}
