import { createReadStream } from 'node:fs';
import { glob, realpath, stat } from 'node:fs/promises';
import { hostname } from 'node:os';
import { basename, relative, resolve } from 'node:path';
import type { Readable } from 'node:stream';
import { type GzipDamage, gunzipMembers } from '@tallystick/verify';
import { CliError } from '../errors.ts';

/** A file to import, or standard input. */
export interface SourceFile {
  /** The path as the user wrote it, or as a pattern found it; `-` is standard input. */
  readonly name: string;
  /** Size of the file in bytes; undefined for standard input. */
  readonly size: number | undefined;
  /** The host, the directory and the name. Equal lines of two origins are two events. @defaultValue the name */
  readonly origin?: string;
  open(): Readable;
}

/**
 * The files that the arguments name: paths, glob patterns and `-`. Each file is listed once, in the order of the arguments.
 * The files of one pattern are sorted, because the names of log files usually contain their order.
 *
 * @param from replaces the host and the directory in the files' origin
 * @throws {CliError} `NO_INPUT` for a path that does not exist or a pattern that matches nothing: an import of fewer files
 *   than the user named must not look like a success
 */
export async function findSourceFiles(
  args: readonly string[],
  processContext: { readonly cwd: string; readonly stdin: Readable },
  from?: string,
): Promise<SourceFile[]> {
  const found = new Map<string, SourceFile>();
  for (const arg of args) {
    if (arg === '-') {
      const origin = `${from ?? hostname()}/-`;
      found.set('-', { name: '-', size: undefined, origin, open: () => processContext.stdin });
      continue;
    }
    for (const named of await expand(arg, processContext.cwd)) {
      // A file that can't be found is listed too: reading it fails, which is reported, and the other files are imported.
      const path = await realpath(named).catch(() => named);
      const size = await stat(path).then(
        (info) => info.size,
        () => 0,
      );
      const name = relative(processContext.cwd, path) || path;
      found.set(path, {
        name: name.startsWith('..') ? path : name,
        size,
        origin: from === undefined ? `${hostname()}${path}` : `${from}/${basename(path)}`,
        open: () => createReadStream(path),
      });
    }
  }
  return [...found.values()];
}

/** The files of one argument. A path that exists is never used as a pattern, whatever characters it contains. */
async function expand(arg: string, cwd: string): Promise<string[]> {
  const path = resolve(cwd, arg);
  const info = await stat(path).catch((error: NodeJS.ErrnoException) => {
    // What exists and can't be read is reported with the files.
    return error.code === 'EACCES' || error.code === 'ELOOP' ? 'unreadable' : undefined;
  });
  if (info === 'unreadable') return [path];
  if (info?.isDirectory()) {
    const hint = `name its files with a pattern, for example '${arg.replace(/\/$/, '')}/**/*.json.gz'`;
    throw new CliError('NO_INPUT', `${arg} is a directory`, { hint });
  }
  if (info !== undefined) return [path];
  const matches: string[] = [];
  if (/[*?[{]/.test(arg)) {
    for await (const match of glob(arg, { cwd, withFileTypes: true })) {
      if (!match.isDirectory()) matches.push(resolve(match.parentPath, match.name));
    }
  }
  if (matches.length === 0) throw new CliError('NO_INPUT', `no file matches ${arg}`);
  return matches.sort();
}

/**
 * The content of a file to import, and a {@link GzipDamage} in each place of a gzip file that can't be read.
 *
 * @param onBytes receives how many bytes of the file were read, before decompression
 */
export async function* readDamaged(
  file: SourceFile,
  onBytes?: (bytes: number) => void,
): AsyncGenerator<Uint8Array | GzipDamage> {
  let bytesRead = 0;
  const stored = async function* () {
    for await (const chunk of file.open() as AsyncIterable<Uint8Array | string>) {
      const bytes = typeof chunk === 'string' ? Buffer.from(chunk) : chunk;
      bytesRead += bytes.length;
      onBytes?.(bytesRead);
      yield bytes;
    }
  };
  const source = stored();
  const head = await takeAtLeast(2, source);
  const whole = prepend(head, source);
  yield* isGzip(head) ? gunzipMembers(whole) : whole;
}

function isGzip(head: Uint8Array): boolean {
  return head[0] === 0x1f && head[1] === 0x8b;
}

/** The first bytes of a source: at least `count`, or all of a shorter source. */
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
