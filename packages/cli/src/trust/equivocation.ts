import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { LogError, parseCheckpoint, parseNote, parseRotation, sha256, toHex } from '@tallystick/log';
import { configDirectory } from '../settings/config-file.ts';
import { makeDirectory } from '../settings/make-directory.ts';
import type { TrustSettings } from './choose-keys.ts';

/** Two signed notes of a log that contradict each other, checkpoints or rotations, and the files that keep them. */
export interface Equivocation {
  /** The name of the log, for rotations; they are about all of its tenants. */
  readonly origin: string;
  /** The signed notes, verbatim. */
  readonly notes: readonly [string, string];
  /** Where the notes were saved; empty if they could not be written. */
  readonly files: readonly string[];
}

/** What a note is about: a checkpoint of one log, or a rotation of the key of all logs of a name. */
function subjectOf(note: string): { readonly origin: string; readonly size?: number } {
  const { text } = parseNote(note);
  try {
    return parseCheckpoint(text);
  } catch (error) {
    if (!(error instanceof LogError)) throw error;
    return { origin: parseRotation(text).logName };
  }
}

/**
 * Saves two contradicting notes as evidence in the user's configuration, and tells the user. The log may show another
 * history tomorrow: these two notes prove the contradiction to everyone who has the verifier key.
 */
export function saveEquivocation(
  { terminal, processContext }: TrustSettings,
  notes: readonly [string, string],
): Equivocation {
  const { origin, size: firstSize } = subjectOf(notes[0]);
  const directory = join(configDirectory(processContext.env), 'evidence');
  const files: string[] = [];
  try {
    makeDirectory(directory);
    for (const note of notes) {
      const { size = 'rotation' } = subjectOf(note);
      const file = join(
        directory,
        `${origin.replaceAll('/', '_')}-${size}-${toHex(sha256(note)).slice(0, 16)}.note`,
      );
      writeFileSync(file, note, { mode: 0o600 });
      files.push(file);
    }
  } catch (error) {
    terminal.warn(`the evidence can't be saved in ${directory}: ${(error as NodeJS.ErrnoException).code}`);
  }
  const saved = files.length === 2 ? `; both are saved as evidence: ${files.join(' and ')}` : '';
  const what =
    firstSize === undefined
      ? 'named two successors of one key'
      : 'signed two checkpoints that contradict each other';
  terminal.warn(`equivocation: ${origin} ${what}${saved}`);
  return { origin, notes, files };
}
