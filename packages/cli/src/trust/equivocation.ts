import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseCheckpoint, parseNote, sha256, toHex } from '@tallystick/log';
import { configDirectory } from '../settings/config-file.ts';
import type { TrustSettings } from './choose-keys.ts';

/** Two signed checkpoints of a log that contradict each other, and the files that keep them. */
export interface Equivocation {
  readonly origin: string;
  /** The signed notes, verbatim. */
  readonly notes: readonly [string, string];
  /** Where the notes were saved; empty if they could not be written. */
  readonly files: readonly string[];
}

/**
 * Saves two contradicting checkpoints as evidence in the user's configuration, and tells the user. The log may show another
 * history tomorrow: these two notes prove the contradiction to everyone who has the verifier key.
 */
export function saveEquivocation(
  { terminal, processContext }: TrustSettings,
  notes: readonly [string, string],
): Equivocation {
  const { origin } = parseCheckpoint(parseNote(notes[0]).text);
  const directory = join(configDirectory(processContext.env), 'evidence');
  const files: string[] = [];
  try {
    mkdirSync(directory, { recursive: true, mode: 0o700 });
    for (const note of notes) {
      const { size } = parseCheckpoint(parseNote(note).text);
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
  terminal.warn(`equivocation: ${origin} signed two checkpoints that contradict each other${saved}`);
  return { origin, notes, files };
}
