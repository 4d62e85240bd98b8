import { createWriteStream } from 'node:fs';
import { rename, rm, writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import { CliError } from '../errors.ts';
import type { ProcessContext } from '../process-context.ts';
import type { Terminal } from './terminal.ts';

/** Where output goes that is not written to a file. */
interface OutputContext {
  readonly terminal: Terminal;
  readonly processContext: ProcessContext;
}

/**
 * Writes bytes to the file that the user named (compressed if its name ends in `.gz`) or to standard output. The file gets
 * its name when it is complete, so that an incomplete export never looks like a complete one.
 */
export async function writeOutput(
  { terminal, processContext }: OutputContext,
  file: string | undefined,
  bytes: AsyncIterable<Uint8Array | string>,
): Promise<void> {
  if (file === undefined || file === '-') {
    for await (const chunk of bytes) {
      await terminal.bytes(chunk);
      if (terminal.outputEnded) break;
    }
    return;
  }
  const path = resolve(processContext.cwd, file);
  const part = `${path}.part`;
  try {
    const target = createWriteStream(part);
    if (path.endsWith('.gz')) await pipeline(Readable.from(bytes), createGzip(), target);
    else await pipeline(Readable.from(bytes), target);
    await rename(part, path);
  } catch (error) {
    await rm(part, { force: true });
    const code =
      (error as NodeJS.ErrnoException).syscall === undefined
        ? undefined
        : (error as NodeJS.ErrnoException).code;
    if (code === undefined) throw error;
    throw new CliError('OUTPUT_FAILED', `can't write ${file}: ${code}`, { cause: error });
  }
}

/** Writes a short text to a file, which gets its name when it is complete, or to standard output. */
export async function writeText(
  context: OutputContext,
  file: string | undefined,
  text: string,
): Promise<void> {
  if (file === undefined || file === '-') return await context.terminal.bytes(text);
  const path = resolve(context.processContext.cwd, file);
  try {
    await writeFile(`${path}.part`, text);
    await rename(`${path}.part`, path);
  } catch (cause) {
    throw new CliError('OUTPUT_FAILED', `can't write ${file}: ${(cause as NodeJS.ErrnoException).code}`, {
      cause,
    });
  }
}
