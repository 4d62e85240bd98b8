import { statfs } from 'node:fs/promises';
import { ServerError } from '../../errors.ts';

/** How much of the disk the embedded store leaves free. */
export interface SpaceOptions {
  /**
   * Bytes that must stay free on the disk. Below, the store refuses to write and still answers reads.
   * @defaultValue 67108864 (64 MiB)
   */
  readonly reserveBytes?: number | undefined;
  /** Returns the free bytes of the disk that holds a directory. @defaultValue asks the file system */
  readonly freeBytes?: ((directory: string) => Promise<number>) | undefined;
}

/** Room for two segments of the write-ahead log, for a batch, and for what reads and crash recovery write. */
const spaceDefaults = Object.freeze({ reserveBytes: 64 * 1024 * 1024 });

/**
 * Disk space that a byte of COPY's text takes: once in the write-ahead log, once in the table, and its part of indexes.
 * Measured with events of 1 KB: 2.6.
 */
const growth = 3;

/** COPY's text between two checkpoints. Bounds the log, the time of crash recovery and what PGlite has not written yet. */
const checkpointBytes = 32 * 1024 * 1024;

/**
 * Keeps the embedded store away from the end of its disk. PGlite keeps new pages in memory until a checkpoint, so that the
 * file system shows more free space than there is: the watch counts what the pages will need.
 */
export class SpaceWatch {
  readonly #directory: string | undefined;
  readonly #reserve: number;
  readonly #freeBytes: (directory: string) => Promise<number>;
  /** Bytes of COPY's text since the last checkpoint. */
  #sinceCheckpoint = 0;

  constructor(directory: string | undefined, options: SpaceOptions = {}) {
    this.#directory = directory;
    this.#reserve = options.reserveBytes ?? spaceDefaults.reserveBytes;
    this.#freeBytes = options.freeBytes ?? freeBytesOf;
  }

  /** Whether PGlite should write its pages and drop the log. PGlite has no process of its own that would. */
  get checkpointIsDue(): boolean {
    return this.#sinceCheckpoint >= checkpointBytes;
  }

  /** Counts rows that are about to be stored. */
  add(bytes: number): void {
    this.#sinceCheckpoint += bytes;
  }

  /** A checkpoint was made, or a crash recovery, which ends with one. */
  checkpointed(): void {
    this.#sinceCheckpoint = 0;
  }

  /**
   * @param bytes of COPY's text that are to be stored
   * @throws {ServerError} `STORE_FULL`; `STORE_UNAVAILABLE` when the directory is not there
   */
  async assertRoomFor(bytes: number): Promise<void> {
    if (this.#directory === undefined) return;
    const needed = this.#reserve + growth * (this.#sinceCheckpoint + bytes);
    let free: number;
    try {
      free = await this.#freeBytes(this.#directory);
    } catch (cause) {
      const details = { directory: this.#directory };
      throw new ServerError('STORE_UNAVAILABLE', 'the directory of the embedded store cannot be read', {
        cause,
        details,
      });
    }
    if (free >= needed) return;
    throw storeFull(`its disk has ${mebibytes(free)} MiB left and it needs ${mebibytes(needed)} MiB`, {
      directory: this.#directory,
      free_bytes: free,
      needed_bytes: needed,
    });
  }
}

/** The error of a write that was refused because the disk is full. */
export function storeFull(why: string, details: Record<string, unknown> = {}): ServerError {
  const advice = 'free some space: the store goes on by itself';
  return new ServerError('STORE_FULL', `the embedded store is full: ${why}; ${advice}`, { details });
}

function mebibytes(bytes: number): number {
  return Math.ceil(bytes / (1024 * 1024));
}

async function freeBytesOf(directory: string): Promise<number> {
  const { bavail, bsize } = await statfs(directory);
  return bavail * bsize;
}
