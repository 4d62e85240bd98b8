import type { Client } from '@tallystick/client';
import {
  type AuditRecord,
  createVerifier,
  type KeyRotation,
  LogError,
  openNote,
  parseCheckpoint,
  parseNote,
  parseOrigin,
  parseVerifierKey,
  rotationFromJson,
  type Verifier,
} from '@tallystick/log';
import { isTrusted, type Report, type SelectionVerdict, trustedKeys, type Verdict } from '@tallystick/verify';
import { CliError } from '../errors.ts';
import { askConsistency } from './ask-consistency.ts';
import { chooseKeys, type LogUnderTest, type TrustSettings } from './choose-keys.ts';
import type { TrustDecision } from './decide-trust.ts';
import { EpochChange } from './epoch-change.ts';
import { saveEquivocation } from './equivocation.ts';
import type { GivenCheckpoint } from './given-checkpoints.ts';
import {
  type KeptCheckpoint,
  knownLogsPath,
  otherEpochs,
  readKnownLogs,
  withCheckpoint,
  writeKnownLogs,
} from './known-logs.ts';
import { readKnownPlaces, withSeen, writeKnownPlaces } from './known-places.ts';
import { validRotations } from './rotations.ts';

/** What a verification relies on. None of it comes from the service, store or file that is verified. */
export interface TrustContext {
  readonly verifiers: readonly Verifier[];
  readonly trust: TrustDecision['trust'];
  /** Rotations of the log's key, kept ones and those that the log shows. */
  readonly rotations: readonly KeyRotation[];
  /** Checkpoints from the command line, as signed notes. The log must contain what they cover. */
  readonly checkpoints: readonly string[];
  /** The checkpoint that an earlier verification accepted, as a signed note. The log must extend it. */
  readonly kept: readonly string[];
  /** The checkpoints of earlier epochs that earlier verifications accepted. The log must still state what they cover. */
  readonly keptOfClosed: readonly string[];
}

/** What the reports on bundles and on receipts have in common. */
interface Compared extends Pick<Report, 'findings' | 'not_compared'> {
  readonly verdict: AnyVerdict;
}

type AnyVerdict = Verdict | SelectionVerdict;

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
  /** The log that {@link resolve} was called for, and the keys that are trusted for it, with those that rotations lead to. */
  #log: LogUnderTest | undefined;
  #signers: readonly Verifier[] = [];
  /** Set if the log is in a later epoch than the one that was verified before, and nobody accepted it yet. */
  #change: EpochChange | undefined;
  #genesis: AuditRecord | undefined;
  /** The signed notes that the log is compared with. */
  #notes: readonly string[] = [];
  /** A checkpoint that waits until {@link confirmEpoch} has accepted the epoch. */
  #waiting: string | undefined;
  readonly #context: TrustSettings;
  readonly #given: readonly GivenCheckpoint[];

  constructor(context: TrustSettings, given: readonly GivenCheckpoint[]) {
    this.#context = context;
    this.#given = given;
  }

  /**
   * @throws {CliError} see {@link chooseKeys}; `NOT_VERIFIABLE` for a given checkpoint that no trusted key signed; `BROKEN` for a
   *   live log in an earlier epoch than the last one that was verified
   */
  async resolve(log: LogUnderTest): Promise<TrustContext> {
    const known = readKnownLogs(this.#context.processContext.env);
    const entries = [...otherEpochs(known, log.origin).map(({ entry }) => entry), known.get(log.origin)];
    const keptRotations = entries.flatMap((entry) => entry?.rotations ?? []).map(rotationFromJson);
    const rotations = await validRotations(log.origin, [...keptRotations, ...log.rotations]);
    const pins = entries.flatMap((entry) =>
      entry?.pin === undefined ? [] : [parseVerifierKey(entry.pin.key)],
    );
    const { verifiers, trust } = await this.#chooseKeys({ ...log, rotations }, [
      ...pins,
      ...keptRotations.map(({ oldKey }) => oldKey),
    ]);
    this.#log = log;
    const checkpoints: string[] = [];
    const signers = (await trustedKeys(log.origin, verifiers, rotations, { add: () => {} })).verifiers;
    this.#signers = signers;
    for (const { file, note, size } of this.#given.filter(({ origin }) => origin === log.origin)) {
      if (verifiers.length > 0 && !(await mayBeSigned(note, log.origin, signers))) {
        throw new CliError('NOT_VERIFIABLE', `no trusted key signed the checkpoint in ${file}`);
      }
      checkpoints.push(note);
      this.#compared.push({ size, file });
    }
    this.#kept = known.get(log.origin)?.checkpoint;
    const others = otherEpochs(known, log.origin);
    this.#change = EpochChange.of(this.#context, log, others, known.get(log.origin));
    const { epoch: own } = parseOrigin(log.origin);
    const keptOfClosed = others.flatMap(({ epoch, entry }) =>
      epoch < own && entry.checkpoint !== undefined ? [entry.checkpoint.note] : [],
    );
    this.#notes = [...checkpoints, ...(this.#kept === undefined ? [] : [this.#kept.note])];
    if (this.#kept === undefined) return { verifiers, trust, rotations, checkpoints, kept: [], keptOfClosed };
    const { note, size, keptAt } = this.#kept;
    this.#compared.push({ size, kept_since: keptAt });
    return { verifiers, trust, rotations, checkpoints, kept: [note], keptOfClosed };
  }

  /**
   * Like {@link chooseKeys}. A refused log is never verified, so two successors of a key are saved as evidence here.
   *
   * @param mine the keys that the user trusts or trusted
   */
  async #chooseKeys(log: LogUnderTest, mine: readonly Verifier[]): Promise<TrustDecision> {
    try {
      return chooseKeys(this.#context, log);
    } catch (error) {
      const verifiers = mine.map(({ publicKey }) => createVerifier(log.origin, publicKey));
      const { twoSuccessors } = await trustedKeys(log.origin, verifiers, log.rotations, { add: () => {} });
      if (twoSuccessors !== undefined) saveEquivocation(this.#context, twoSuccessors);
      throw error;
    }
  }

  /**
   * Lets the service compare what a part or a receipt can't be compared with by itself.
   *
   * @param openClient see {@link askConsistency}
   * @param note the signed checkpoint of the file; absent where nothing was verified
   * @returns the report, with what the service proved or refuted
   */
  async comparedByService<R extends Compared>(
    openClient: () => Promise<Client>,
    report: R,
    note: string | undefined,
  ): Promise<R> {
    const open = new Set(report.not_compared);
    if (note === undefined || open.size === 0 || !isTrusted(report.verdict)) return report;
    const kept = this.#notes.filter((other) => open.has(parseCheckpoint(parseNote(other).text).size));
    const { proven, findings, reason } = await askConsistency(openClient, note, kept);
    if (reason !== undefined) this.#context.terminal.note(`not asked for a consistency proof: ${reason}`);
    const { not_compared = [], ...rest } = report;
    const left = not_compared.filter((size) => !proven.includes(size));
    const compared = { ...rest, ...(left.length > 0 && { not_compared: left }) } as unknown as R;
    if (findings.length === 0) return compared;
    return { ...compared, verdict: 'broken', findings: [...report.findings, ...findings] };
  }

  /**
   * The checkpoints that the records were compared with. The user learns which ones they were not compared with.
   *
   * @param what the file or log, for people
   * @throws {CliError} `NOT_VERIFIABLE` where a checkpoint from the command line was not compared: the user asked for it
   */
  comparedBy(
    { verdict, not_compared = [] }: Pick<Compared, 'verdict' | 'not_compared'>,
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

  /** Receives each record of the log: the first one names what came before its epoch. */
  readonly noteRecord = (record: AuditRecord): void => {
    if (record.sequence_number === 0) this.#genesis = record;
  };

  /**
   * Decides whether a new epoch follows from what was verified before. A recovery whose first record names the kept checkpoint
   * is a notice. Every other new epoch is an alarm: with it, an operator could leave the old records out.
   *
   * @throws {CliError} `LOG_EPOCH_CHANGED`
   */
  async confirmEpoch({ verdict }: Pick<Compared, 'verdict'>): Promise<void> {
    if (this.#change === undefined || !isTrusted(verdict)) return;
    if (!(await this.#change.follows(this.#genesis, this.#signers))) return;
    this.#change = undefined;
    if (this.#waiting !== undefined) this.keepCheckpoint(this.#waiting);
  }

  /**
   * Keeps the checkpoint of a good verdict, and that the log is at its place. If that fails the verdict is still right, so the
   * user is only warned.
   */
  readonly keepCheckpoint = (note: string): void => {
    if (this.#change !== undefined) {
      this.#waiting = note;
      return;
    }
    const { env, now } = this.#context.processContext;
    const keptAt = new Date(now()).toISOString();
    try {
      this.#rememberPlace(keptAt);
      const known = readKnownLogs(env);
      const { origin } = parseCheckpoint(parseNote(note).text);
      // Another command kept a checkpoint meanwhile, and this verification was not compared with it.
      if (known.get(origin)?.checkpoint?.note !== this.#kept?.note) return;
      const updated = withCheckpoint(known, note, keptAt);
      if (updated !== known) writeKnownLogs(env, updated);
    } catch (error) {
      if (error instanceof CliError) throw error;
      const { code } = error as NodeJS.ErrnoException;
      this.#context.terminal.warn(`the checkpoint can't be kept in ${knownLogsPath(env)}: ${code}`);
    }
  };

  #rememberPlace(seenAt: string): void {
    const { env } = this.#context.processContext;
    const { place, origin } = this.#log!;
    if (place === undefined) return;
    const places = readKnownPlaces(env);
    const updated = withSeen(places, place, { origin, seenAt });
    if (updated !== places) writeKnownPlaces(env, updated);
  }
}

/** Whether a trusted key signed a note, or the note says so with a wrong signature: the verification reports that one. */
async function mayBeSigned(note: string, origin: string, verifiers: readonly Verifier[]): Promise<boolean> {
  try {
    return (await openNote(note, verifiers)).verifiedBy.some(({ name }) => name === origin);
  } catch (error) {
    return error instanceof LogError && error.code === 'SIGNATURE_INVALID';
  }
}
