import { type AuditRecord, parseOrigin, parseVerifierKey, type Verifier } from '@tallystick/log';
import { CliError } from '../errors.ts';
import { acceptHint, type LogUnderTest, type TrustSettings } from './choose-keys.ts';
import { saveEquivocation } from './equivocation.ts';
import type { KnownLog, otherEpochs } from './known-logs.ts';
import { linkOf } from './new-epoch.ts';

/** A log in a later epoch than the one that was verified before. Nobody has accepted the later one yet. */
export class EpochChange {
  readonly #context: TrustSettings;
  readonly #log: LogUnderTest;
  readonly #earlier: KnownLog;

  private constructor(context: TrustSettings, log: LogUnderTest, earlier: KnownLog) {
    this.#context = context;
    this.#log = log;
    this.#earlier = earlier;
  }

  /**
   * Compares the epoch of a log with those that are known.
   *
   * @param others what is known of other epochs, the latest first
   * @param own what is known of this epoch
   * @returns `undefined` where no earlier epoch was verified, or this one was verified or pinned by the user already
   * @throws {CliError} `BROKEN` for a live log in an earlier epoch than the last one that was verified
   */
  static of(
    context: TrustSettings,
    log: LogUnderTest,
    others: ReturnType<typeof otherEpochs>,
    own: KnownLog | undefined,
  ): EpochChange | undefined {
    const { epoch } = parseOrigin(log.origin);
    const seen = others.find(({ entry }) => entry.checkpoint !== undefined);
    if (seen === undefined) return undefined;
    if (seen.epoch > epoch) {
      // An old bundle or receipt is genuine.
      if (log.place === undefined) return undefined;
      const since = seen.entry.checkpoint!.keptAt.slice(0, 10);
      const message = `${log.from} was rolled back: it shows epoch ${epoch} of a log whose epoch ${seen.epoch} was verified on ${since}`;
      throw new CliError('BROKEN', message);
    }
    const isAccepted = own?.checkpoint !== undefined || own?.pin?.by === 'hand';
    return isAccepted ? undefined : new EpochChange(context, log, seen.entry);
  }

  /**
   * Decides whether the new epoch follows from what was verified before. A recovery whose first record names the kept checkpoint
   * is a notice. Every other new epoch is an alarm: with it, an operator could leave the old records out.
   *
   * @param genesis the first record of the epoch, if the verification read it
   * @param signers keys that are trusted for the log, with those that rotations lead to
   * @returns whether it follows; false for a file that does not show it
   * @throws {CliError} `LOG_EPOCH_CHANGED`
   */
  async follows(genesis: AuditRecord | undefined, signers: readonly Verifier[]): Promise<boolean> {
    const { terminal } = this.#context;
    const [log, earlier] = [this.#log, this.#earlier];
    const { size, keptAt, note } = earlier.checkpoint!;
    const known = `${log.origin} is a new epoch: it does not include the ${size} records of ${earlier.origin} verified on ${keptAt.slice(0, 10)}`;
    if (genesis === undefined) {
      terminal.warn(`${known}. Its first record, which names what was signed before, is not in ${log.from}`);
      return false;
    }
    const pin = earlier.pin === undefined ? [] : [parseVerifierKey(earlier.pin.key)];
    const link = await linkOf(genesis, earlier, [...pin, ...signers]);
    if (link.kind === 'contradicts' && link.size === size) saveEquivocation(this.#context, [note, link.note]);
    if (link.kind === 'names') {
      const named =
        link.size === size
          ? 'this checkpoint'
          : `a checkpoint of ${link.size} records, with which the kept one was not compared`;
      terminal.warn(`${known}. Its first record names ${named}`);
      return true;
    }
    if (link.kind === 'contradicts' || log.place !== undefined) {
      const reason =
        link.kind === 'contradicts'
          ? `its first record names another checkpoint of ${link.size} records`
          : 'its first record does not name a signed checkpoint of that epoch';
      throw new CliError('LOG_EPOCH_CHANGED', `${known}, and ${reason}`, { hint: acceptHint(log) });
    }
    terminal.warn(`${known}, and its first record does not name a signed checkpoint of that epoch`);
    return false;
  }
}
