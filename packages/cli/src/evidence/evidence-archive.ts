import { EvidenceError, type EvidenceFileName, evidenceFileNames } from '@tallystick/verify';
import yauzl, { type Entry, type ZipFile } from 'yauzl';

/** An entry above this size must not be compressed more than {@link maxRatio} times: each record has hashes, which do not compress. */
const maxFreeBytes = 64 << 20;
const maxRatio = 200;

/**
 * A zip archive with the files of an export with evidence (spec/selection.md). Its author is not trusted: the archive must have exactly
 * these files, once each, with the sizes that it states. Nothing is written to disk, and files are read as streams.
 */
export class EvidenceArchive implements Disposable {
  readonly #zip: ZipFile;
  readonly #entries: ReadonlyMap<string, Entry>;

  private constructor(zip: ZipFile, entries: ReadonlyMap<string, Entry>) {
    this.#zip = zip;
    this.#entries = entries;
  }

  /** @throws {EvidenceError} `EVIDENCE_MALFORMED` for any other archive */
  static async open(path: string): Promise<EvidenceArchive> {
    const options = { autoClose: false, lazyEntries: true, strictFileNames: true, validateEntrySizes: true };
    const zip = await refused('the archive', () => yauzl.openPromise(path, options));
    try {
      return new EvidenceArchive(zip, await refused('the archive', () => readEntries(zip)));
    } catch (error) {
      zip.close();
      throw error;
    }
  }

  /**
   * The text of a short file.
   *
   * @throws {EvidenceError} `EVIDENCE_MALFORMED` for a longer one, and for one that is not UTF-8
   */
  async text(name: EvidenceFileName, maxBytes: number): Promise<string> {
    if (this.#entries.get(name)!.uncompressedSize > maxBytes) throw new EvidenceError(`${name} is too long`);
    const parts: Uint8Array[] = [];
    for await (const part of this.bytes(name)) parts.push(part);
    try {
      return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(Buffer.concat(parts));
    } catch (cause) {
      throw new EvidenceError(`${name} is not UTF-8`, { cause });
    }
  }

  /**
   * The bytes of a file, from its beginning. Several files can be read side by side.
   *
   * @throws {EvidenceError} `EVIDENCE_MALFORMED` where it is damaged, or has another size than the archive states
   */
  async *bytes(name: EvidenceFileName): AsyncGenerator<Uint8Array> {
    try {
      yield* await this.#zip.openReadStreamPromise(this.#entries.get(name)!);
    } catch (error) {
      throw refusalOf(error, name);
    }
  }

  [Symbol.dispose](): void {
    this.#zip.close();
  }
}

/** A file of the archive, and where its header and its data are. */
interface PlacedFile {
  readonly entry: Entry;
  readonly begin: number;
  readonly end: number;
}

async function readEntries(zip: ZipFile): Promise<Map<string, Entry>> {
  const expected: ReadonlySet<string> = new Set(evidenceFileNames);
  const files = new Map<string, PlacedFile>();
  if (zip.entryCount !== expected.size)
    throw new EvidenceError(`the archive has ${zip.entryCount} files, not ${expected.size}`);
  for await (const entry of zip.eachEntry()) {
    const { fileName } = entry;
    if (!expected.has(fileName)) throw new EvidenceError('the archive has a file that does not belong to it');
    if (files.has(fileName)) throw new EvidenceError(`the archive has ${fileName} twice`);
    files.set(fileName, await placeEntry(zip, entry));
  }
  checkPlaces(zip, [...files.values()]);
  return new Map([...files].map(([name, { entry }]) => [name, entry]));
}

/** Bit of the flags: the sizes are in a descriptor after the data, and not in the header before it. */
const hasDescriptor = 0x8;
/** A header whose size is in an extra field. */
const inExtraField = 0xffffffff;

async function placeEntry(zip: ZipFile, entry: Entry): Promise<PlacedFile> {
  const { fileName, uncompressedSize, compressedSize } = entry;
  if (!entry.canDecodeFileData())
    throw new EvidenceError(`${fileName} is encrypted, or compressed in an unknown way`);
  if (uncompressedSize > maxFreeBytes && uncompressedSize > maxRatio * compressedSize)
    throw new EvidenceError(`${fileName} is compressed more than ${maxRatio} times`);
  if (entry.fileCommentLength > 0) throw new EvidenceError(`${fileName} has a comment`);
  // Programs that read the archive from its beginning see this header, and not the one in the directory.
  const local = await zip.readLocalFileHeaderPromise(entry);
  if (local.fileName.toString('latin1') !== fileName)
    throw new EvidenceError(`${fileName} has two names in the archive`);
  if (local.compressionMethod !== entry.compressionMethod)
    throw new EvidenceError(`${fileName} has two kinds of compression in the archive`);
  const sizes = [
    [local.compressedSize, compressedSize],
    [local.uncompressedSize, uncompressedSize],
  ] as const;
  const isStated = (local.generalPurposeBitFlag & hasDescriptor) === 0;
  if (isStated && sizes.some(([size, real]) => size !== real && size !== inExtraField))
    throw new EvidenceError(`${fileName} has two sizes in the archive`);
  return { entry, begin: entry.relativeOffsetOfLocalHeader, end: local.fileDataStart + compressedSize };
}

/** Bytes of the longest descriptor. It has no room for the header of another file, which has 30. */
const maxDescriptorBytes = 24;
/** Bytes of the end of the directory, and of what comes before it in an archive of 4 GiB and more. */
const endBytes = { plain: 22, large: 22 + 76 } as const;

/**
 * All bytes must belong to the files and the directory. Otherwise programs that read the archive from its beginning could find more files, or
 * files that share their bytes could be many times the size of the archive.
 */
function checkPlaces(zip: ZipFile, files: readonly PlacedFile[]): void {
  if (zip.comment.length > 0) throw new EvidenceError('the archive has a comment');
  const directoryBytes = files.reduce(
    (sum, { entry }) => sum + 46 + entry.fileNameLength + entry.extraFieldLength,
    0,
  );
  const directoryEnd = zip.fileSize - (zip.fileSize < 0xfffffffe ? endBytes.plain : endBytes.large);
  let end = 0;
  let allowed = 0;
  for (const file of [...files].sort((a, b) => a.begin - b.begin)) {
    checkGap(file.begin - end, allowed);
    end = file.end;
    allowed = (file.entry.generalPurposeBitFlag & hasDescriptor) === 0 ? 0 : maxDescriptorBytes;
  }
  checkGap(directoryEnd - directoryBytes - end, allowed);
}

function checkGap(bytes: number, allowed: number): void {
  if (bytes < 0) throw new EvidenceError('files of the archive overlap');
  if (bytes > allowed) throw new EvidenceError('the archive has bytes that belong to no file');
}

async function refused<T>(what: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw refusalOf(error, what);
  }
}

/** Errors of the file system stay what they are. All others are about the archive. */
function refusalOf(error: unknown, what: string): unknown {
  if (error instanceof EvidenceError || !(error instanceof Error)) return error;
  if ((error as NodeJS.ErrnoException).syscall !== undefined) return error;
  return new EvidenceError(`${what} is damaged: ${error.message}`, { cause: error });
}
