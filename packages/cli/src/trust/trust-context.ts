import { LogError, openNote, parseCheckpoint, parseNote, parseOrigin, type Verifier } from '@tallystick/log';
import { isTrusted, type Report } from '@tallystick/verify';
import { CliError } from '../errors.ts';
import { chooseKeys, type LogUnderTest, type TrustSettings } from './choose-keys.ts';
import type { TrustDecision } from './decide-trust.ts';
import type { GivenCheckpoint } from './given-checkpoints.ts';
import {
  type KeptCheckpoint,
  knownLogsPath,
  otherEpochs,
  readKnownLogs,
  withCheckpoint,
  writeKnownLogs,
} from './known-logs.ts';

/** What a verification relies on. None of it comes from the service, store or file that is verified. */
export interface TrustContext {
  readonly verifiers: readonly Verifier[];
  readonly trust: TrustDecision['trust'];
  /** Checkpoints from the command line, as signed notes. The log must contain what they cover. */
  readonly checkpoints: readonly string[];
  /** The checkpoint that an earlier verification accepted, as a signed note. The log must extend it. */
  readonly kept: readonly string[];
}

/** A checkpoint that the log was compared with, as reports show it. */
export interface ComparedCheckpoint {
  readonly size: number;
  /** The file that it was given in. */
  readonly file?: string;
  /** When an earlier verification kept it, RFC 3339. */
  readonly kept_since?: string;
}

/**
 * Finds what one verification relies on: trusted keys, the checkpoints that were given on the command line, and the newest
 * checkpoint that an earlier verification of the same log kept. A service that was rolled back does not extend that one.
 */
export class TrustResolver {
  /** Filled by {@link resolve}: the checkpoints that the log is compared with. */
  readonly #compared: ComparedCheckpoint[] = [];
  /** The checkpoint that was kept when {@link resolve} read it. */
  #kept: KeptCheckpoint | undefined;
  readonly #context: TrustSettings;
  readonly #given: readonly GivenCheckpoint[];

  constructor(context: TrustSettings, given: readonly GivenCheckpoint[]) {
    this.#context = context;
    this.#given = given;
  }

  /**
   * @throws {CliError} `NOT_VERIFIABLE` for a given checkpoint that no trusted key signed; `BROKEN` for a live log in an earlier epoch than the last one seen
   */
  async resolve(log: LogUnderTest): Promise<TrustContext> {
    const { verifiers, trust } = chooseKeys(this.#context, log);
    const checkpoints: string[] = [];
    for (const { file, note, size } of this.#given.filter(({ origin }) => origin === log.origin)) {
      if (verifiers.length > 0 && !(await mayBeSigned(note, log.origin, verifiers))) {
        throw new CliError('NOT_VERIFIABLE', `no trusted key signed the checkpoint in ${file}`);
      }
      checkpoints.push(note);
      this.#compared.push({ size, file });
    }
    const known = readKnownLogs(this.#context.processContext.env);
    this.#kept = known.get(log.origin)?.checkpoint;
    if (log.isLive) this.#compareEpochs(log, otherEpochs(known, log.origin), this.#kept);
    if (this.#kept === undefined) return { verifiers, trust, checkpoints, kept: [] };
    const { note, size, keptAt } = this.#kept;
    this.#compared.push({ size, kept_since: keptAt });
    return { verifiers, trust, checkpoints, kept: [note] };
  }

  /**
   * The checkpoints that the records were compared with. The user learns which ones they were not compared with.
   *
   * @param what the file or log, for people
   * @throws {CliError} `NOT_VERIFIABLE` where a checkpoint from the command line was not compared: the user asked for it
   */
  comparedBy(
    { verdict, not_compared = [] }: Pick<Report, 'verdict' | 'not_compared'>,
    what: string,
    isPart: boolean,
  ): readonly ComparedCheckpoint[] {
    const open = this.#compared.filter(({ size }) => not_compared.includes(size));
    for (const { size, file, kept_since } of isTrusted(verdict) ? open : []) {
      const name =
        file === undefined
          ? `the checkpoint of ${size} records kept since ${kept_since?.slice(0, 10)}`
          : `the checkpoint of ${size} records in ${file}`;
      const message = isPart
        ? `${what} proves only single records and can't be compared with ${name}`
        : `${what} ends before ${name}, so it was not compared with it`;
      if (file === undefined) this.#context.terminal.warn(message);
      else {
        const hint = 'verify the service, or get a newer export of the whole trail';
        throw new CliError('NOT_VERIFIABLE', message, { hint });
      }
    }
    return this.#compared.filter((checkpoint) => !open.includes(checkpoint));
  }

  #compareEpochs(
    { origin, from }: LogUnderTest,
    others: ReturnType<typeof otherEpochs>,
    kept: KeptCheckpoint | undefined,
  ): void {
    const { epoch } = parseOrigin(origin);
    const seen = others.find(({ entry }) => entry.checkpoint !== undefined);
    if (seen === undefined) return;
    const { size, keptAt } = seen.entry.checkpoint!;
    const since = keptAt.slice(0, 10);
    if (seen.epoch > epoch) {
      const message = `${from} was rolled back: it shows epoch ${epoch} of a log whose epoch ${seen.epoch} was verified on ${since}`;
      throw new CliError('BROKEN', message);
    }
    if (kept !== undefined) return;
    this.#context.terminal.warn(
      `${origin} is a new epoch: it does not include the ${size} records of ${seen.entry.origin} verified on ${since}`,
    );
  }

  /** Keeps the checkpoint of a good verdict. If that fails the verdict is still right, so the user is only warned. */
  readonly keepCheckpoint = (note: string): void => {
    const { env, now } = this.#context.processContext;
    const known = readKnownLogs(env);
    const { origin } = parseCheckpoint(parseNote(note).text);
    // Another command kept a checkpoint meanwhile, and this verification was not compared with it.
    if (known.get(origin)?.checkpoint?.note !== this.#kept?.note) return;
    const updated = withCheckpoint(known, note, new Date(now()).toISOString());
    if (updated === known) return;
    try {
      writeKnownLogs(env, updated);
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      this.#context.terminal.warn(`the checkpoint can't be kept in ${knownLogsPath(env)}: ${code}`);
    }
  };
}

/** Whether a trusted key signed a note, or the note says so with a wrong signature: the verification reports that one. */
async function mayBeSigned(note: string, origin: string, verifiers: readonly Verifier[]): Promise<boolean> {
  try {
    return (await openNote(note, verifiers)).verifiedBy.some(({ name }) => name === origin);
  } catch (error) {
    return error instanceof LogError && error.code === 'SIGNATURE_INVALID';
  }
}
