import { EvidenceError, type EvidenceFileName, evidenceFileNames } from '@tallystick/verify';
import yauzl, { type Entry, type ZipFile } from 'yauzl';
import { type ArchiveEnd, checkPlaces, type PlacedFile, placeEntry, readEnd } from './archive-places.ts';

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
      const end = await readEnd(path);
      return new EvidenceArchive(zip, await refused('the archive', () => readEntries(zip, end)));
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

async function readEntries(zip: ZipFile, stated: ArchiveEnd): Promise<Map<string, Entry>> {
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
  checkPlaces(zip, [...files.values()], stated);
  return new Map([...files].map(([name, { entry }]) => [name, entry]));
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
