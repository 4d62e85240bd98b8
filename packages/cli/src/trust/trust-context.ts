import { openNote, parseOrigin, type Verifier } from '@tallystick/log';
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
  /** Checkpoints that were kept elsewhere, as signed notes. The log must extend them. */
  readonly checkpoints: readonly string[];
}

/** A checkpoint that the log was compared with, as reports show it. */
export interface ComparedCheckpoint {
  readonly size: number;
  /** The file that it was given in. */
  readonly file?: string;
  /** When an earlier verification kept it, RFC 3339. */
  readonly kept_since?: string;
}

/** What a bundle claims to hold. A live log is always read completely. */
export interface BundleExtent {
  /** Number of records of its checkpoint. */
  readonly size: number | undefined;
  /** Whether it claims to hold the whole chain. */
  readonly complete: boolean;
}

/**
 * Finds what one verification relies on: trusted keys, the checkpoints that were given on the command line, and the newest
 * checkpoint that an earlier verification of the same log kept. A service that was rolled back does not extend that one.
 */
export class TrustResolver {
  /** Filled by {@link resolve}: the checkpoints that the log is compared with. */
  readonly compared: ComparedCheckpoint[] = [];
  readonly #context: TrustSettings;
  readonly #given: readonly GivenCheckpoint[];

  constructor(context: TrustSettings, given: readonly GivenCheckpoint[]) {
    this.#context = context;
    this.#given = given;
  }

  /**
   * @throws {CliError} `NOT_VERIFIABLE` for a given checkpoint that no trusted key signed; `USAGE` for a part of a chain
   *   that can't be compared with a given checkpoint; `BROKEN` for a live log in an earlier epoch than the last one seen
   */
  async resolve(log: LogUnderTest, extent?: BundleExtent): Promise<TrustContext> {
    const { verifiers, trust } = chooseKeys(this.#context, log);
    const checkpoints: string[] = [];
    for (const { file, note, size } of this.#given.filter(({ origin }) => origin === log.origin)) {
      if (verifiers.length > 0 && !(await isSigned(note, log.origin, verifiers))) {
        throw new CliError('NOT_VERIFIABLE', `no trusted key signed the checkpoint in ${file}`);
      }
      if (extent?.complete === false && extent.size !== size) {
        const wanted = extent.size === undefined ? 'the same size' : `${extent.size} records`;
        const hint = `give a checkpoint of ${wanted}, or verify the whole chain`;
        throw new CliError('USAGE', `a part of a chain can't be compared with the checkpoint in ${file}`, {
          hint,
        });
      }
      checkpoints.push(note);
      this.compared.push({ size, file });
    }
    const kept = await this.#keptCheckpoint(log, extent, verifiers);
    if (kept !== undefined) {
      checkpoints.push(kept.note);
      this.compared.push({ size: kept.size, kept_since: kept.keptAt });
    }
    return { verifiers, trust, checkpoints };
  }

  /** The checkpoint that an earlier verification kept, if the log can be compared with it. */
  async #keptCheckpoint(
    log: LogUnderTest,
    extent: BundleExtent | undefined,
    verifiers: readonly Verifier[],
  ): Promise<KeptCheckpoint | undefined> {
    const { terminal, processContext } = this.#context;
    const known = readKnownLogs(processContext.env);
    const kept = known.get(log.origin)?.checkpoint;
    if (log.isLive) this.#compareEpochs(log, otherEpochs(known, log.origin), kept);
    if (kept === undefined || verifiers.length === 0) return undefined;
    const name = `the checkpoint of ${kept.size} records kept since ${kept.keptAt.slice(0, 10)}`;
    if (extent !== undefined && extent.size !== kept.size) {
      if (!extent.complete) return undefined;
      if (extent.size === undefined || extent.size < kept.size) {
        // An export of last month is not tampered with only because the log has grown since.
        terminal.note(`this bundle ends before ${name}, so it was not compared with it`);
        return undefined;
      }
    }
    if (await isSigned(kept.note, log.origin, verifiers)) return kept;
    terminal.warn(`${name} is ignored: it was signed with another key than the trusted one`);
    return undefined;
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

async function isSigned(note: string, origin: string, verifiers: readonly Verifier[]): Promise<boolean> {
  try {
    return (await openNote(note, verifiers)).verifiedBy.some(({ name }) => name === origin);
  } catch {
    return false;
  }
}
