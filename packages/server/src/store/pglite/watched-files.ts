import { NodeFS } from '@electric-sql/pglite/nodefs';

/** Called with an error of the file system or of PGlite after which PGlite must not go on. Does not return. */
export type OnBroken = (why: string, systemCode?: string) => never;

/** Errors of a system call after which the files can only be used again by crash recovery. */
const fatalCodes = new Set([
  'ENOSPC',
  'EDQUOT',
  'EFBIG',
  'EIO',
  'EROFS',
  'ESTALE',
  'ENODEV',
  'ENXIO',
  'ENOMEM',
]);

/** The part of PGlite's file system in which all errors of Node's file functions arrive. */
interface NodeFiles {
  convertNodeCode(error: NodeJS.ErrnoException): number;
}

/**
 * PGlite's files in a directory, with a report of every error that PGlite would handle badly. When the write-ahead log
 * cannot grow, PostgreSQL ends its process with a PANIC and relies on crash recovery. PGlite has no process to end: it
 * goes on in an undefined state and then calls itself without end.
 */
export class WatchedFiles extends NodeFS {
  readonly #onBroken: OnBroken;

  constructor(directory: string, onBroken: OnBroken) {
    super(directory);
    this.#onBroken = onBroken;
  }

  override async init(...parameters: Parameters<NodeFS['init']>): ReturnType<NodeFS['init']> {
    const { emscriptenOpts } = await super.init(...parameters);
    const watch = (module: object) => {
      const files = (module as { NODEFS?: NodeFiles }).NODEFS;
      if (files === undefined) throw new Error('this version of PGlite has other file functions');
      const convert = files.convertNodeCode;
      files.convertNodeCode = (error) => {
        const { code = '', syscall = 'access' } = error;
        if (fatalCodes.has(code)) this.#onBroken(`${syscall}: ${code}`, code);
        return convert.call(files, error);
      };
    };
    return {
      emscriptenOpts: {
        ...emscriptenOpts,
        preRun: [...(emscriptenOpts.preRun ?? []), watch],
        onAbort: (what: unknown) => this.#onBroken(`PGlite has ended itself ${String(what)}`.trimEnd()),
      },
    };
  }
}
