import { join } from 'node:path';
import { formatVerifierKey, parseOrigin, parseVerifierKey, type Verifier } from '@tallystick/log';
import { CliError } from '../errors.ts';
import { configDirectory, readJsonObject, writeJsonObject } from './config-file.ts';

type Env = { readonly [name: string]: string | undefined };

/** A log key that the user trusts. */
export interface KnownLog {
  /** `<log name>/<tenant id>/<epoch>`, also the key's name. */
  readonly origin: string;
  /** The verifier key string. */
  readonly key: string;
  /** RFC 3339. */
  readonly pinnedAt: string;
  /** How it came to be trusted: by hand, or at the first use of the place named. */
  readonly by: 'hand' | 'first-use';
  /** Where it was first seen. */
  readonly from?: string;
}

/** The keys pinned so far, by origin. The user's own file, like ssh's known_hosts: never at the place under test. */
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
      if (parseVerifierKey(entry!.key!).name !== origin) throw new TypeError('the key has another name');
    } catch (cause) {
      throw new CliError('KNOWN_LOGS_INVALID', `${path}: the entry ${origin} holds no key of that origin`, {
        cause,
      });
    }
    known.set(origin, { ...(entry as KnownLog), origin });
  }
  return known;
}

export function writeKnownLogs(env: Env, known: KnownLogs): void {
  const entries = [...known.values()].sort((a, b) => (a.origin < b.origin ? -1 : 1));
  writeJsonObject(
    knownLogsPath(env),
    Object.fromEntries(entries.map(({ origin, ...entry }) => [origin, entry])),
  );
}

export function withPin(known: KnownLogs, pin: KnownLog): KnownLogs {
  return new Map(known).set(pin.origin, pin);
}

/**
 * @throws {CliError} `KEY_UNKNOWN`
 */
export function withoutPin(known: KnownLogs, origin: string): KnownLogs {
  const rest = new Map(known);
  if (!rest.delete(origin)) throw new CliError('KEY_UNKNOWN', `no key is pinned for ${origin}`);
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

export function pinOf(verifier: Verifier, how: Omit<KnownLog, 'origin' | 'key'>): KnownLog {
  return { origin: verifier.name, key: formatVerifierKey(verifier), ...how };
}
