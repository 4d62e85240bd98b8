import { join } from 'node:path';
import {
  formatVerifierKey,
  parseCheckpoint,
  parseNote,
  parseOrigin,
  parseVerifierKey,
  toBase64,
  type Verifier,
} from '@tallystick/log';
import { CliError } from '../errors.ts';
import { configDirectory, readJsonObject, writeJsonObject } from './config-file.ts';

type Env = { readonly [name: string]: string | undefined };

/** What the user knows of a log from earlier. */
export interface KnownLog {
  /** `<log name>/<tenant id>/<epoch>`, also the key's name. */
  readonly origin: string;
  /** Absent where the key was given each time. */
  readonly pin?: Pin;
  /** The newest checkpoint that was verified: what every later state of the log must extend. */
  readonly checkpoint?: KeptCheckpoint;
}

/** A log key that the user trusts. */
export interface Pin {
  /** The verifier key string. */
  readonly key: string;
  /** RFC 3339. */
  readonly pinnedAt: string;
  /** How it came to be trusted: by hand, or at the first use of the place named. */
  readonly by: 'hand' | 'first-use';
  /** Where it was first seen. */
  readonly from?: string;
}

export interface KeptCheckpoint {
  /** Records that it covers. */
  readonly size: number;
  /** Base64. */
  readonly root: string;
  /** The signed note, verbatim. */
  readonly note: string;
  /** RFC 3339. */
  readonly keptAt: string;
}

/** The logs known so far, by origin. The user's own file, like ssh's known_hosts: never at the place under test. */
export type KnownLogs = ReadonlyMap<string, KnownLog>;

export const knownLogsPath = (env: Env): string => join(configDirectory(env), 'known-logs.json');

/**
 * @throws {CliError} `KNOWN_LOGS_INVALID`: a damaged file must not read as "nothing pinned yet"
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
        `${path}: the entry ${origin} holds no key or checkpoint of that origin`,
        { cause },
      );
    }
    known.set(origin, { ...entry, origin });
  }
  return known;
}

function checkEntry(origin: string, { pin, checkpoint }: Partial<KnownLog>): void {
  if (pin === undefined && checkpoint === undefined) throw new TypeError('the entry is empty');
  if (pin !== undefined && parseVerifierKey(pin.key).name !== origin)
    throw new TypeError('the key has another name');
  if (checkpoint === undefined) return;
  const { origin: named, size } = parseCheckpoint(parseNote(checkpoint.note).text);
  if (named !== origin || size !== checkpoint.size || typeof checkpoint.keptAt !== 'string')
    throw new TypeError('the checkpoint is another one');
}

export function writeKnownLogs(env: Env, known: KnownLogs): void {
  const entries = [...known.values()].sort((a, b) => (a.origin < b.origin ? -1 : 1));
  writeJsonObject(
    knownLogsPath(env),
    Object.fromEntries(entries.map(({ origin, ...entry }) => [origin, entry])),
  );
}

/** @param entry what {@link pinOf} makes; a checkpoint that was kept stays */
export function withPin(known: KnownLogs, entry: KnownLog): KnownLogs {
  return new Map(known).set(entry.origin, { ...known.get(entry.origin), ...entry });
}

/** Keeps a checkpoint that was verified. One of fewer records than what is kept changes nothing: a log never shrinks. */
export function withCheckpoint(known: KnownLogs, note: string, keptAt: string): KnownLogs {
  const { origin, size, root } = parseCheckpoint(parseNote(note).text);
  const before = known.get(origin);
  if (size <= (before?.checkpoint?.size ?? 0)) return known;
  const checkpoint = { size, root: toBase64(root), note, keptAt };
  return new Map(known).set(origin, { ...before, origin, checkpoint });
}

/** What is known of the same tenant's chain in other epochs, the latest first. */
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
 * Forgets a log: its key, and the checkpoint that was kept of it.
 *
 * @throws {CliError} `KEY_UNKNOWN`
 */
export function withoutPin(known: KnownLogs, origin: string): KnownLogs {
  const rest = new Map(known);
  if (!rest.delete(origin)) throw new CliError('KEY_UNKNOWN', `nothing is known of ${origin}`);
  return rest;
}

/**
 * Reads a verifier key that the user gave.
 *
 * @throws {CliError} `KEY_MALFORMED` also for a key whose name is no log's origin
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
