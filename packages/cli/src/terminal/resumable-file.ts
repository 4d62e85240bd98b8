import { createReadStream, createWriteStream } from 'node:fs';
import { type FileHandle, open, readFile, rename, rm, truncate, writeFile } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import { CliError } from '../errors.ts';

/**
 * A file that is written in parts, and that a later process can go on with. Until it is whole, its content is in `FILE.part`, and
 * `FILE.part.json` says what the caller needs to go on, and how many bytes of the content belong to it. If the name ends in `.gz`, the
 * file is compressed when it is whole.
 */
export class ResumableFile<State> {
  readonly #path: string;
  readonly #content: FileHandle;
  #bytes: number;

  private constructor(path: string, content: FileHandle, bytes: number) {
    this.#path = path;
    this.#content = content;
    this.#bytes = bytes;
  }

  /** Begins a new file. An unfinished one of the same name is lost. */
  static async create<State>(path: string): Promise<ResumableFile<State>> {
    return await writing(path, async () => {
      await rm(statePath(path), { force: true });
      return new ResumableFile<State>(path, await open(partPath(path), 'w'), 0);
    });
  }

  /**
   * Goes on with an unfinished file.
   *
   * @throws {CliError} `INPUT_UNREADABLE` if there is none
   */
  static async resume<State>(path: string): Promise<{ file: ResumableFile<State>; state: State }> {
    const { state, bytes } = await readState<State>(path);
    return await writing(path, async () => {
      // What was written after the last state may end within a line.
      await truncate(partPath(path), bytes);
      return { state, file: new ResumableFile<State>(path, await open(partPath(path), 'a'), bytes) };
    });
  }

  /**
   * Adds a part.
   *
   * @param state what is needed to go on after this part
   */
  async add(text: string, state: State): Promise<void> {
    await writing(this.#path, async () => {
      const bytes = Buffer.from(text);
      await this.#content.appendFile(bytes);
      this.#bytes += bytes.length;
      const next = `${statePath(this.#path)}.next`;
      await writeFile(next, JSON.stringify({ bytes: this.#bytes, state }));
      await rename(next, statePath(this.#path));
    });
  }

  /** Gives the file its name. */
  async finish(): Promise<void> {
    await writing(this.#path, async () => {
      await this.#content.close();
      const part = partPath(this.#path);
      if (this.#path.endsWith('.gz')) {
        const compressed = `${part}.gz`;
        await pipeline(createReadStream(part), createGzip(), createWriteStream(compressed));
        await rename(compressed, this.#path);
        await rm(part);
      } else await rename(part, this.#path);
      await rm(statePath(this.#path), { force: true });
    });
  }

  /** Leaves the file unfinished. */
  async leave(): Promise<void> {
    await this.#content.close().catch(() => undefined);
  }
}

const partPath = (path: string) => `${path}.part`;
const statePath = (path: string) => `${path}.part.json`;

async function readState<State>(path: string): Promise<{ state: State; bytes: number }> {
  let text: string;
  try {
    text = await readFile(statePath(path), 'utf8');
  } catch (cause) {
    throw new CliError('INPUT_UNREADABLE', `there is no unfinished export of ${path} to go on with`, {
      hint: 'start the export without --resume',
      cause,
    });
  }
  try {
    const { state, bytes } = JSON.parse(text) as { state: State; bytes: unknown };
    if (typeof state === 'object' && state !== null && Number.isSafeInteger(bytes))
      return { state, bytes: bytes as number };
  } catch {
    // Reported below.
  }
  throw new CliError('INPUT_UNREADABLE', `${statePath(path)} is damaged: begin the export again`);
}

async function writing<T>(path: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    const { code, syscall } = cause as NodeJS.ErrnoException;
    if (syscall === undefined) throw cause;
    throw new CliError('OUTPUT_FAILED', `can't write ${path}: ${code}`, { cause });
  }
}
