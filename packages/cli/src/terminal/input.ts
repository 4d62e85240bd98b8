import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { CliError } from '../errors.ts';
import type { Surroundings } from './terminal.ts';

/** Far above any event or record; what is larger was not meant for a command that reads a single value. */
const maxBytes = 64 << 20;

/**
 * All bytes of a file, or of standard input where none is named or `-` is.
 *
 * @throws {CliError} `INPUT_UNREADABLE`, or `NO_INPUT` where nobody would type the input
 */
export async function readInput(file: string | undefined, surroundings: Surroundings): Promise<Buffer> {
  if (file !== undefined && file !== '-') {
    try {
      return await readFile(resolve(surroundings.cwd, file));
    } catch (cause) {
      const { code } = cause as NodeJS.ErrnoException;
      throw new CliError('INPUT_UNREADABLE', `can't read ${file}: ${code}`, { cause });
    }
  }
  if (surroundings.stdin.isTTY === true) {
    throw new CliError('NO_INPUT', 'nothing on standard input', { hint: 'pipe it in, or name a file' });
  }
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of surroundings.stdin as AsyncIterable<Buffer | string>) {
    const bytes = Buffer.from(chunk as Buffer);
    length += bytes.length;
    if (length > maxBytes)
      throw new CliError('INPUT_INVALID', `more than ${maxBytes} bytes on standard input`);
    chunks.push(bytes);
  }
  return Buffer.concat(chunks);
}
