import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { openNote, parseCheckpoint, parseNote, parseOrigin, type Verifier } from '@tallystick/log';
import type { Grounds } from '../backend/backend.ts';
import type { Context } from '../context.ts';
import { CliError } from '../errors.ts';
import {
  type KeptCheckpoint,
  knownLogsPath,
  otherEpochs,
  readKnownLogs,
  withCheckpoint,
  writeKnownLogs,
} from '../settings/known-logs.ts';
import { decide, type Place } from './verify-key.ts';

/** A checkpoint from the command line. */
export interface GivenCheckpoint {
  readonly file: string;
  readonly note: string;
  readonly origin: string;
  readonly size: number;
}

/** A checkpoint from outside that the trail was held against, as it is told. */
export interface HeldAgainst {
  readonly size: number;
  readonly file?: string;
  /** RFC 3339. */
  readonly kept_since?: string;
}

/** What a bundle claims to show; a live log is asked for all of it. */
export interface Extent {
  readonly size: number | undefined;
  readonly complete: boolean;
}

/**
 * What one verification stands on besides the place under test: keys, checkpoints that were given, and the newest one
 * that an earlier verification of the same log left behind, which a service that was set back does not extend.
 */
export class VerifyGrounds {
  /** Filled by {@link judge}. */
  readonly heldAgainst: HeldAgainst[] = [];
  readonly #context: Context;
  readonly #given: readonly GivenCheckpoint[];

  constructor(context: Context, given: readonly GivenCheckpoint[]) {
    this.#context = context;
    this.#given = given;
  }

  /**
   * @throws {CliError} `NOT_VERIFIABLE` for a given checkpoint that no trusted key signed; `BROKEN` for a live log that is
   *   in an earlier epoch than the one seen last
   */
  async judge(place: Place, extent?: Extent): Promise<Grounds> {
    const { verifiers, trust } = decide(this.#context, place);
    const checkpoints: string[] = [];
    for (const { file, note, size } of this.#given.filter(({ origin }) => origin === place.origin)) {
      if (verifiers.length > 0 && !(await isSigned(note, place.origin, verifiers))) {
        throw new CliError('NOT_VERIFIABLE', `no trusted key signed the checkpoint in ${file}`);
      }
      if (extent?.complete === false && extent.size !== size) {
        const hint = `give one of ${extent.size ?? 'as many'} records, or verify the whole chain`;
        throw new CliError('USAGE', `a bundle of some records can't be held against ${file}`, { hint });
      }
      checkpoints.push(note);
      this.heldAgainst.push({ size, file });
    }
    const kept = await this.#recall(place, extent, verifiers);
    if (kept !== undefined) {
      checkpoints.push(kept.note);
      this.heldAgainst.push({ size: kept.size, kept_since: kept.keptAt });
    }
    return { verifiers, trust, checkpoints };
  }

  async #recall(
    place: Place,
    extent: Extent | undefined,
    verifiers: readonly Verifier[],
  ): Promise<KeptCheckpoint | undefined> {
    const { terminal, surroundings } = this.#context;
    const known = readKnownLogs(surroundings.env);
    const kept = known.get(place.origin)?.checkpoint;
    if (place.isLive) this.#compareEpochs(place, otherEpochs(known, place.origin), kept);
    if (kept === undefined || verifiers.length === 0) return undefined;
    const told = `the checkpoint of ${kept.size} records kept since ${kept.keptAt.slice(0, 10)}`;
    if (extent !== undefined && extent.size !== kept.size) {
      if (!extent.complete) return undefined;
      if (extent.size === undefined || extent.size < kept.size) {
        // An export of last month is not tampered with because the log has grown since.
        terminal.note(`this bundle ends before ${told}, so it was not held against it`);
        return undefined;
      }
    }
    if (await isSigned(kept.note, place.origin, verifiers)) return kept;
    terminal.warn(`${told} was signed with another key than the one now trusted: it is not relied upon`);
    return undefined;
  }

  #compareEpochs(
    { origin, from }: Place,
    others: ReturnType<typeof otherEpochs>,
    kept: KeptCheckpoint | undefined,
  ): void {
    const { epoch } = parseOrigin(origin);
    const seen = others.find(({ entry }) => entry.checkpoint !== undefined);
    if (seen === undefined) return;
    const { size, keptAt } = seen.entry.checkpoint!;
    const since = keptAt.slice(0, 10);
    if (seen.epoch > epoch) {
      const message = `${from} shows epoch ${epoch} of a log of which epoch ${seen.epoch} was verified on ${since}: it was set back`;
      throw new CliError('BROKEN', message);
    }
    if (kept !== undefined) return;
    this.#context.terminal.warn(
      `${origin} is a new epoch: the ${size} records of ${seen.entry.origin} verified on ${since} are not part of it`,
    );
  }

  /** Keeps the note that a verdict stands on. Nothing is lost where that fails, so the verdict stays what it is. */
  readonly remember = (note: string): void => {
    const { env, now } = this.#context.surroundings;
    const known = readKnownLogs(env);
    const grown = withCheckpoint(known, note, new Date(now()).toISOString());
    if (grown === known) return;
    try {
      writeKnownLogs(env, grown);
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      this.#context.terminal.warn(`the checkpoint can't be kept in ${knownLogsPath(env)}: ${code}`);
    }
  };
}

/**
 * Reads the files of `--checkpoint`.
 *
 * @throws {CliError} `INPUT_UNREADABLE`; `USAGE` for a file that holds none
 */
export async function readGiven(
  { surroundings }: Context,
  files: readonly string[] = [],
): Promise<readonly GivenCheckpoint[]> {
  return await Promise.all(
    files.map(async (file) => {
      let note: string;
      try {
        note = await readFile(resolve(surroundings.cwd, file), 'utf8');
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

async function isSigned(note: string, origin: string, verifiers: readonly Verifier[]): Promise<boolean> {
  try {
    return (await openNote(note, verifiers)).verifiedBy.some(({ name }) => name === origin);
  } catch {
    return false;
  }
}
