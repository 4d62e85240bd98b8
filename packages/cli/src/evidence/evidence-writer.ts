import { createWriteStream } from 'node:fs';
import { type FileHandle, mkdtemp, open, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { exportFormat } from '@tallystick/event';
import { parseOrigin } from '@tallystick/log';
import type { EvidenceHead, EvidenceLine } from '@tallystick/protocol';
import { type EvidenceFileName, evidenceFileNames, formatManifest, readRecordLine } from '@tallystick/verify';
import { ZipFile } from 'yazl';
import { CliError } from '../errors.ts';

const csv = exportFormat('csv');

/**
 * Writes an export with evidence: first each file beside the archive, because all of them grow with each record and the files of an archive
 * can only be written one after the other; then the archive. Memory does not depend on the number of records. The archive gets its name
 * when it is complete.
 */
export class EvidenceWriter {
  readonly #path: string;
  readonly #folder: string;
  readonly #records: LineFile;
  readonly #multiproof: LineFile;
  readonly #csv: LineFile;
  #head: EvidenceHead | undefined;
  #lines = 0;
  readonly #epochs: [epoch: number, records: number][] = [];

  private constructor(path: string, folder: string, files: readonly LineFile[]) {
    this.#path = path;
    this.#folder = folder;
    [this.#records, this.#multiproof, this.#csv] = files as [LineFile, LineFile, LineFile];
  }

  /** @param path of the archive; the folder of the unfinished files is beside it */
  static async create(path: string): Promise<EvidenceWriter> {
    const folder = await mkdtemp(`${path}.part-`);
    const names: readonly EvidenceFileName[] = ['records.jsonl', 'multiproof.txt', 'events.csv'];
    const files = await Promise.all(names.map((name) => LineFile.create(join(folder, name))));
    return new EvidenceWriter(path, folder, files);
  }

  /** Takes the head. After a broken connection the service sends another one, but only before the first record. */
  async begin(head: EvidenceHead): Promise<void> {
    if (this.#lines > 0) throw invalid('sent a second head');
    if (this.#head === undefined) await this.#csv.add(csv.header);
    this.#head = head;
  }

  async add({ epoch, hashes = [], record, withheld }: EvidenceLine): Promise<void> {
    const text = record ?? JSON.stringify({ withheld });
    const shown = readRecordLine(++this.#lines, text).shown(epoch);
    if (shown === undefined) throw invalid('sent a record that can not be read');
    await this.#addHashes(hashes);
    await this.#records.add(`${text}\n`);
    await this.#csv.add(csv.line(shown));
    const last = this.#epochs.at(-1);
    if (last?.[0] === epoch) last[1]++;
    else this.#epochs.push([epoch, 1]);
  }

  /** @param hashes those after the last record */
  async finish(hashes: readonly string[]): Promise<void> {
    if (this.#head === undefined) throw invalid('sent no checkpoint');
    const { origin, checkpoint, rotations } = this.#head;
    parseOrigin(origin);
    await this.#addHashes(hashes);
    for (const file of [this.#records, this.#multiproof, this.#csv]) await file.close();
    await writeFile(
      join(this.#folder, 'manifest'),
      formatManifest({ origin, epochs: this.#epochs, rotations }),
    );
    await writeFile(join(this.#folder, 'checkpoint'), checkpoint);
    const part = join(this.#folder, 'archive');
    const zip = new ZipFile();
    const failed = new Promise<never>((_, reject) => zip.once('error', reject));
    for (const name of evidenceFileNames)
      zip.addFile(join(this.#folder, name), name, { mtime: new Date(0), mode: 0o100644 });
    zip.end();
    await Promise.race([pipeline(zip.outputStream as Readable, createWriteStream(part)), failed]);
    await rename(part, this.#path);
  }

  /** Removes the unfinished files, also after a failure. */
  async [Symbol.asyncDispose](): Promise<void> {
    for (const file of [this.#records, this.#multiproof, this.#csv])
      await file.close().catch(() => undefined);
    await rm(this.#folder, { recursive: true, force: true });
  }

  async #addHashes(hashes: readonly string[]): Promise<void> {
    if (hashes.length > 0) await this.#multiproof.add(hashes.map((hash) => `${hash}\n`).join(''));
  }
}

/** A text file that is written in large pieces. */
class LineFile {
  readonly #file: FileHandle;
  #waiting: string[] = [];
  #length = 0;
  #isOpen = true;

  private constructor(file: FileHandle) {
    this.#file = file;
  }

  static async create(path: string): Promise<LineFile> {
    return new LineFile(await open(path, 'wx'));
  }

  async add(text: string): Promise<void> {
    this.#waiting.push(text);
    this.#length += text.length;
    if (this.#length > 256 << 10) await this.#flush();
  }

  async close(): Promise<void> {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    try {
      await this.#flush();
    } finally {
      await this.#file.close();
    }
  }

  async #flush(): Promise<void> {
    const text = this.#waiting.join('');
    this.#waiting = [];
    this.#length = 0;
    await this.#file.appendFile(text);
  }
}

function invalid(what: string): CliError {
  return new CliError('SERVICE_ERROR', `the service ${what}`);
}
