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

async function readEntries(zip: ZipFile): Promise<Map<string, Entry>> {
  const expected: ReadonlySet<string> = new Set(evidenceFileNames);
  const entries = new Map<string, Entry>();
  if (zip.entryCount !== expected.size)
    throw new EvidenceError(`the archive has ${zip.entryCount} files, not ${expected.size}`);
  let compressed = 0;
  for await (const entry of zip.eachEntry()) {
    const { fileName } = entry;
    if (!expected.has(fileName)) throw new EvidenceError('the archive has a file that does not belong to it');
    if (entries.has(fileName)) throw new EvidenceError(`the archive has ${fileName} twice`);
    await checkEntry(zip, entry);
    compressed += entry.compressedSize;
    entries.set(fileName, entry);
  }
  // Files that share their bytes can be many times the size of the archive.
  if (compressed > zip.fileSize) throw new EvidenceError('files of the archive overlap');
  return entries;
}

async function checkEntry(zip: ZipFile, entry: Entry): Promise<void> {
  const { fileName, uncompressedSize, compressedSize } = entry;
  if (!entry.canDecodeFileData())
    throw new EvidenceError(`${fileName} is encrypted, or compressed in an unknown way`);
  if (uncompressedSize > maxFreeBytes && uncompressedSize > maxRatio * compressedSize)
    throw new EvidenceError(`${fileName} is compressed more than ${maxRatio} times`);
  // Programs that read the archive from its beginning see this name.
  const local = await zip.readLocalFileHeaderPromise(entry);
  if (local.fileName.toString('latin1') !== fileName)
    throw new EvidenceError(`${fileName} has two names in the archive`);
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
