import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { parseCheckpoint, parseNote } from '@tallystick/log';
import { CliError } from '../errors.ts';
import type { ProcessContext } from '../process-context.ts';

/** A checkpoint from the command line. */
export interface GivenCheckpoint {
  readonly file: string;
  /** The signed note, as the file contains it. */
  readonly note: string;
  readonly origin: string;
  readonly size: number;
}

/**
 * Reads the files of `--checkpoint`.
 *
 * @throws {CliError} `INPUT_UNREADABLE`; `USAGE` for a file that is not a checkpoint
 */
export async function readGivenCheckpoints(
  { processContext }: { readonly processContext: ProcessContext },
  files: readonly string[] = [],
): Promise<readonly GivenCheckpoint[]> {
  return await Promise.all(
    files.map(async (file) => {
      let note: string;
      try {
        note = await readFile(resolve(processContext.cwd, file), 'utf8');
      } catch (cause) {
        const { code } = cause as NodeJS.ErrnoException;
        throw new CliError('INPUT_UNREADABLE', `can't read ${file}: ${code}`, { cause });
      }
      try {
        const { origin, size } = parseCheckpoint(parseNote(note).text);
        return { file, note, origin, size };
      } catch (cause) {
        throw new CliError('USAGE', `${file} is not a checkpoint: ${(cause as Error).message}`, { cause });
      }
    }),
  );
}
