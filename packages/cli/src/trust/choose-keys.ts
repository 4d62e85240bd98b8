import {
  formatVerifierKey,
  type KeyRotation,
  parseOrigin,
  rotationToJson,
  type Verifier,
} from '@tallystick/log';
import { CliError } from '../errors.ts';
import type { ProcessContext } from '../process-context.ts';
import type { Terminal } from '../terminal/terminal.ts';
import { decideTrust, type TrustDecision } from './decide-trust.ts';
import {
  type KnownLogs,
  pinOf,
  readKnownLogs,
  readVerifierKey,
  withPin,
  writeKnownLogs,
} from './known-logs.ts';
import { readKnownPlaces, seenBefore } from './known-places.ts';
import type { Place } from './place.ts';
import { pathBetween } from './rotations.ts';

/** The log that a command verifies, as the service, store, bundle or receipt presents it. */
export interface LogUnderTest {
  readonly origin: string;
  /** The verifier key that it shows as its own. */
  readonly offered: Verifier | undefined;
  /** Rotations of its key that it shows. None of them is checked. */
  readonly rotations: readonly KeyRotation[];
  /** The service or the store; undefined for a file, which may come from anywhere. */
  readonly place: Place | undefined;
  /** For people: the address, the directory or the file. */
  readonly from: string;
}

/** What the choice of keys depends on, besides the log. */
export interface TrustSettings {
  readonly terminal: Terminal;
  readonly processContext: ProcessContext;
  /** Verifier keys from the command line, as written. */
  readonly logKeys: readonly string[];
}

/**
 * Decides which keys are trusted for a log, pins a key at first use, and tells the user what changed.
 *
 * @param log its rotations are valid, and include those that were kept
 * @throws {CliError} `LOG_NAME_CHANGED`, `LOG_EPOCH_CHANGED` or `LOG_KEY_CHANGED` for a place that shows another log or key than
 *   before. A key for this log on the command line says that the user knows
 */
export function chooseKeys(context: TrustSettings, log: LogUnderTest): TrustDecision {
  const { env, now } = context.processContext;
  const given = context.logKeys.map(readVerifierKey);
  const known = readKnownLogs(env);
  if (!given.some(({ name }) => name === log.origin)) refuseOtherLog(env, log, known);
  const isLive = log.place !== undefined;
  const decision = decideTrust({ ...log, isLive, given, known });
  const { keyChanged, notice, pin, pinBy = 'first-use', trust } = decision;
  if (keyChanged && isLive && trust === 'pinned')
    throw new CliError('LOG_KEY_CHANGED', notice!, { hint: acceptHint(log) });
  if (pin !== undefined) {
    const pinnedAt = new Date(now()).toISOString();
    const from = log.place?.id ?? log.from;
    const entry = pinOf(pin, { pinnedAt, by: pinBy, from });
    const leading = log.rotations.filter(
      ({ oldKey }) => pathBetween(oldKey.publicKey, pin.publicKey, log.rotations) !== undefined,
    );
    const rotations = leading.map(rotationToJson);
    writeKnownLogs(env, withPin(known, rotations.length === 0 ? entry : { ...entry, rotations }));
    context.terminal.note(`pinned ${formatVerifierKey(pin)}`);
  }
  if (notice !== undefined) {
    if (pin !== undefined) context.terminal.note(notice);
    else context.terminal.warn(notice);
  }
  return decision;
}

/** A service that was replaced, or an impostor, would otherwise be trusted at its first use. */
function refuseOtherLog(env: ProcessContext['env'], log: LogUnderTest, known: KnownLogs): void {
  if (log.place === undefined) return;
  const { origin, from } = log;
  const seen = seenBefore(readKnownPlaces(env), known, log.place, origin);
  if (seen === undefined) return;
  const [before, now] = [parseOrigin(seen.origin), parseOrigin(origin)];
  const since = seen.seenAt.slice(0, 10);
  const hint = acceptHint(log);
  if (before.logName !== now.logName) {
    const message = `${from} shows the log ${origin}, and on ${since} it had ${seen.origin}: it may be an impostor`;
    throw new CliError('LOG_NAME_CHANGED', message, { hint });
  }
  if (before.epoch > now.epoch && known.get(seen.origin)?.checkpoint === undefined) {
    const message = `${from} shows the log ${origin}, and on ${since} it had the later epoch ${before.epoch}`;
    throw new CliError('LOG_EPOCH_CHANGED', message, { hint });
  }
}

/** The command with which the user accepts what changed. */
export function acceptHint({ origin }: LogUnderTest): string {
  const { tenantId } = parseOrigin(origin);
  return `ask the operator; if the change is right, accept it with tally log-keys trust --tenant ${tenantId}`;
}
