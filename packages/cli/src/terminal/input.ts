import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { CliError } from '../errors.ts';
import type { ProcessContext } from '../process-context.ts';

/** Far above any event or record. A larger input was not meant for a command that reads a single value. */
const maxBytes = 64 << 20;

/**
 * All bytes of a file, or of standard input if no file or `-` is named.
 *
 * @throws {CliError} `INPUT_UNREADABLE`; `NO_INPUT` if standard input is a terminal
 */
export async function readInput(file: string | undefined, processContext: ProcessContext): Promise<Buffer> {
  if (file !== undefined && file !== '-') {
    try {
      return await readFile(resolve(processContext.cwd, file));
    } catch (cause) {
      const { code } = cause as NodeJS.ErrnoException;
      throw new CliError('INPUT_UNREADABLE', `can't read ${file}: ${code}`, { cause });
    }
  }
  if (processContext.stdin.isTTY === true) {
    throw new CliError('NO_INPUT', 'standard input is empty', {
      hint: 'pipe the input into this command, or name a file',
    });
  }
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of processContext.stdin as AsyncIterable<Buffer | string>) {
    const bytes = Buffer.from(chunk as Buffer);
    length += bytes.length;
    if (length > maxBytes)
      throw new CliError('INPUT_INVALID', `standard input has more than ${maxBytes} bytes`);
    chunks.push(bytes);
  }
  return Buffer.concat(chunks);
}
