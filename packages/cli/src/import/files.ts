import { createReadStream } from 'node:fs';
import { glob, stat } from 'node:fs/promises';
import { relative, resolve } from 'node:path';
import { Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { CliError } from '../errors.ts';

/** A file to import, or standard input. */
export interface SourceFile {
  /** As the user wrote it or a pattern found it; `-` is standard input. */
  readonly name: string;
  /** Bytes as stored; unknown for standard input. */
  readonly size: number | undefined;
  open(): Readable;
}

/**
 * The files that the arguments name: paths, glob patterns and `-`. Each file comes once, in the order given; those of
 * one pattern are sorted, because a log's file names mostly tell their order.
 *
 * @throws {CliError} `NO_INPUT` for a path that does not exist or a pattern that matches nothing: an import that reads
 *   less than it was told must not look like a success
 */
export async function findSourceFiles(
  args: readonly string[],
  surroundings: { readonly cwd: string; readonly stdin: Readable },
): Promise<SourceFile[]> {
  const found = new Map<string, SourceFile>();
  for (const arg of args) {
    if (arg === '-') {
      found.set('-', { name: '-', size: undefined, open: () => surroundings.stdin });
      continue;
    }
    for (const path of await expand(arg, surroundings.cwd)) {
      const { size } = await stat(path);
      const name = relative(surroundings.cwd, path) || path;
      found.set(path, {
        name: name.startsWith('..') ? path : name,
        size,
        open: () => createReadStream(path),
      });
    }
  }
  return [...found.values()];
}

/** A path that exists is itself, whatever characters it has; only then is it tried as a pattern. */
async function expand(arg: string, cwd: string): Promise<string[]> {
  const path = resolve(cwd, arg);
  const info = await stat(path).catch(() => undefined);
  if (info?.isDirectory()) {
    const hint = `name its files, for example '${arg.replace(/\/$/, '')}/**/*.json.gz'`;
    throw new CliError('NO_INPUT', `${arg} is a directory`, { hint });
  }
  if (info !== undefined) return [path];
  const matches: string[] = [];
  if (/[*?[{]/.test(arg)) {
    for await (const match of glob(arg, { cwd, withFileTypes: true })) {
      if (!match.isDirectory()) matches.push(resolve(match.parentPath, match.name));
    }
  }
  if (matches.length === 0) throw new CliError('NO_INPUT', `no file ${arg}`);
  return matches.sort();
}

export interface Opened {
  /** The file's content, decompressed where it is gzip, without a byte-order mark. */
  readonly chunks: AsyncIterable<Uint8Array>;
  /** Bytes read of the file as stored. */
  readonly bytesRead: () => number;
}

/** Opens a file. Gzip is known by its first bytes, not by its name, so that it may come through a pipe. */
export function openSource(file: SourceFile): Opened {
  let bytesRead = 0;
  const stored = async function* () {
    for await (const chunk of file.open() as AsyncIterable<Uint8Array | string>) {
      const bytes = typeof chunk === 'string' ? Buffer.from(chunk) : chunk;
      bytesRead += bytes.length;
      yield bytes;
    }
  };
  return { chunks: withoutByteOrderMark(decompressed(stored())), bytesRead: () => bytesRead };
}

async function* decompressed(source: AsyncGenerator<Uint8Array>): AsyncGenerator<Uint8Array> {
  const head = await takeAtLeast(2, source);
  const whole = prepend(head, source);
  if (head[0] !== 0x1f || head[1] !== 0x8b) {
    yield* whole;
    return;
  }
  // Several members one after the other, as log rotation makes them, are one stream (RFC 1952 section 2.2).
  const gunzip = createGunzip();
  const input = Readable.from(whole);
  input.on('error', (error) => gunzip.destroy(error));
  try {
    yield* input.pipe(gunzip) as AsyncIterable<Uint8Array>;
  } finally {
    input.destroy();
  }
}

async function* withoutByteOrderMark(source: AsyncGenerator<Uint8Array>): AsyncGenerator<Uint8Array> {
  const head = await takeAtLeast(3, source);
  const marked = head[0] === 0xef && head[1] === 0xbb && head[2] === 0xbf;
  yield* prepend(marked ? head.subarray(3) : head, source);
}

/** The first bytes of a source, more than asked for or, where it is shorter, fewer. */
async function takeAtLeast(count: number, source: AsyncGenerator<Uint8Array>): Promise<Uint8Array> {
  let head: Uint8Array = new Uint8Array();
  while (head.length < count) {
    const next = await source.next();
    if (next.done === true) break;
    head = head.length === 0 ? next.value : Buffer.concat([head, next.value]);
  }
  return head;
}

async function* prepend(head: Uint8Array, rest: AsyncGenerator<Uint8Array>): AsyncGenerator<Uint8Array> {
  if (head.length > 0) yield head;
  yield* rest;
}
