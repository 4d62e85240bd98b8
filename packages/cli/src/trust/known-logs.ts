import { join } from 'node:path';
import {
  formatVerifierKey,
  parseCheckpoint,
  parseNote,
  parseOrigin,
  parseVerifierKey,
  type RotationJson,
  rotationFromJson,
  toBase64,
  type Verifier,
} from '@tallystick/log';
import { CliError } from '../errors.ts';
import { configDirectory, readJsonObject, writeJsonObject } from '../settings/config-file.ts';

type Env = { readonly [name: string]: string | undefined };

/** What earlier commands of this user left behind about a log. */
export interface KnownLog {
  /** `<log name>/<tenant id>/<epoch>`; also the name of the key. */
  readonly origin: string;
  /** Absent if the user gave the key on every command line. */
  readonly pin?: Pin;
  /** The newest checkpoint that was verified. Every later state of the log must extend it. */
  readonly checkpoint?: KeptCheckpoint;
  /** The rotations that lead to the pinned key: keys that were rotated out count up to the last checkpoint that they signed. */
  readonly rotations?: readonly RotationJson[];
}

/** A verifier key that the user trusts. */
export interface Pin {
  /** The verifier key string. */
  readonly key: string;
  /** RFC 3339. */
  readonly pinnedAt: string;
  /** Why it is trusted: the user pinned it, a service or store showed it at first use, or the key that was pinned before endorsed it. */
  readonly by: 'hand' | 'first-use' | 'rotation';
  /** The service or store that showed it. */
  readonly from?: string;
}

export interface KeptCheckpoint {
  /** Number of records that it covers. */
  readonly size: number;
  /** Root hash of the tree, base64. */
  readonly root: string;
  /** The signed note, verbatim. */
  readonly note: string;
  /** RFC 3339. */
  readonly keptAt: string;
}

/** The known logs by origin. They are kept in the user's configuration, like ssh's known_hosts, and never in the store under test. */
export type KnownLogs = ReadonlyMap<string, KnownLog>;

export const knownLogsPath = (env: Env): string => join(configDirectory(env), 'known-logs.json');

/**
 * @throws {CliError} `KNOWN_LOGS_INVALID`, because a damaged file must not look as if no key had been pinned
 */
export function readKnownLogs(env: Env): KnownLogs {
  const path = knownLogsPath(env);
  const known = new Map<string, KnownLog>();
  for (const [origin, value] of Object.entries(readJsonObject(path, 'KNOWN_LOGS_INVALID'))) {
    const entry = value as Partial<KnownLog> | null;
    try {
      checkEntry(origin, entry!);
    } catch (cause) {
      throw new CliError(
        'KNOWN_LOGS_INVALID',
        `${path}: the entry ${origin} has no key or checkpoint of that origin`,
        { cause },
      );
    }
    known.set(origin, { ...entry, origin });
  }
  return known;
}

function checkEntry(origin: string, { pin, checkpoint, rotations = [] }: Partial<KnownLog>): void {
  for (const rotation of rotations) rotationFromJson(rotation);
  if (pin === undefined && checkpoint === undefined) throw new TypeError('the entry is empty');
  if (pin !== undefined && parseVerifierKey(pin.key).name !== origin)
    throw new TypeError('the key has the name of another log');
  if (checkpoint === undefined) return;
  const { origin: named, size } = parseCheckpoint(parseNote(checkpoint.note).text);
  if (named !== origin || size !== checkpoint.size || typeof checkpoint.keptAt !== 'string')
    throw new TypeError('the checkpoint is that of another log or size');
}

export function writeKnownLogs(env: Env, known: KnownLogs): void {
  const entries = [...known.values()].sort((a, b) => (a.origin < b.origin ? -1 : 1));
  writeJsonObject(
    knownLogsPath(env),
    Object.fromEntries(entries.map(({ origin, ...entry }) => [origin, entry])),
  );
}

/** @param entry made by {@link pinOf}; a checkpoint that is kept stays */
export function withPin(known: KnownLogs, entry: KnownLog): KnownLogs {
  return new Map(known).set(entry.origin, { ...known.get(entry.origin), ...entry });
}

/** Keeps a checkpoint that was verified. A smaller one than the kept one changes nothing, because a log never shrinks. */
export function withCheckpoint(known: KnownLogs, note: string, keptAt: string): KnownLogs {
  const { origin, size, root } = parseCheckpoint(parseNote(note).text);
  const before = known.get(origin);
  if (size <= (before?.checkpoint?.size ?? 0)) return known;
  const checkpoint = { size, root: toBase64(root), note, keptAt };
  return new Map(known).set(origin, { ...before, origin, checkpoint });
}

/** The known logs of the same tenant in other epochs, the latest epoch first. */
export function otherEpochs(known: KnownLogs, origin: string): { epoch: number; entry: KnownLog }[] {
  const own = parseOrigin(origin);
  return [...known.values()]
    .map((entry) => ({ entry, ...parseOrigin(entry.origin) }))
    .filter(
      ({ logName, tenantId, epoch }) =>
        logName === own.logName && tenantId === own.tenantId && epoch !== own.epoch,
    )
    .sort((a, b) => b.epoch - a.epoch);
}

/**
 * Forgets a log: its key and its checkpoint.
 *
 * @throws {CliError} `KEY_UNKNOWN`
 */
export function withoutPin(known: KnownLogs, origin: string): KnownLogs {
  const rest = new Map(known);
  if (!rest.delete(origin)) throw new CliError('KEY_UNKNOWN', `no key or checkpoint of ${origin} is kept`);
  return rest;
}

/**
 * Reads a verifier key that the user gave.
 *
 * @throws {CliError} `KEY_MALFORMED`, also for a key whose name is not the origin of a log
 */
export function readVerifierKey(text: string): Verifier {
  try {
    const verifier = parseVerifierKey(text);
    parseOrigin(verifier.name);
    return verifier;
  } catch (cause) {
    throw new CliError('KEY_MALFORMED', `not a log's verifier key: ${(cause as Error).message}`, { cause });
  }
}

export function pinOf(verifier: Verifier, how: Omit<Pin, 'key'>): KnownLog & { readonly pin: Pin } {
  return { origin: verifier.name, pin: { key: formatVerifierKey(verifier), ...how } };
}
