import { join } from 'node:path';
import { parseOrigin } from '@tallystick/log';
import { CliError } from '../errors.ts';
import { configDirectory, readJsonObject, writeJsonObject } from '../settings/config-file.ts';
import type { KnownLogs } from './known-logs.ts';
import type { Place } from './place.ts';

type Env = { readonly [name: string]: string | undefined };

/** The log that a tenant had at a place when it was last trusted there. */
export interface SeenLog {
  readonly origin: string;
  /** RFC 3339. */
  readonly seenAt: string;
}

/** The logs by place, then by tenant. Another log at a known place is an alarm. */
export type KnownPlaces = ReadonlyMap<string, ReadonlyMap<string, SeenLog>>;

export const knownPlacesPath = (env: Env): string => join(configDirectory(env), 'known-places.json');

/**
 * @throws {CliError} `KNOWN_LOGS_INVALID`, because a damaged file must not look as if no place were known
 */
export function readKnownPlaces(env: Env): KnownPlaces {
  const path = knownPlacesPath(env);
  const places = new Map<string, Map<string, SeenLog>>();
  for (const [place, tenants] of Object.entries(readJsonObject(path, 'KNOWN_LOGS_INVALID'))) {
    const logs = new Map<string, SeenLog>();
    for (const [tenantId, seen] of Object.entries(Object(tenants) as object)) {
      if (!isSeenLog(tenantId, seen))
        throw new CliError(
          'KNOWN_LOGS_INVALID',
          `${path}: the entry of ${tenantId} at ${place} names no log of it`,
        );
      logs.set(tenantId, seen);
    }
    places.set(place, logs);
  }
  return places;
}

function isSeenLog(tenantId: string, seen: unknown): seen is SeenLog {
  const { origin, seenAt } = Object(seen) as Partial<SeenLog>;
  try {
    return typeof seenAt === 'string' && parseOrigin(origin!).tenantId === tenantId;
  } catch {
    return false;
  }
}

export function writeKnownPlaces(env: Env, places: KnownPlaces): void {
  const byName = <T>(entries: Iterable<readonly [string, T]>) =>
    [...entries].sort(([a], [b]) => (a < b ? -1 : 1));
  writeJsonObject(
    knownPlacesPath(env),
    Object.fromEntries(byName(places).map(([place, logs]) => [place, Object.fromEntries(byName(logs))])),
  );
}

/** Remembers a log at its place. */
export function withSeen(places: KnownPlaces, place: Place, seen: SeenLog): KnownPlaces {
  const { tenantId } = parseOrigin(seen.origin);
  const key = keyOf(place, seen.origin);
  if (places.get(key)?.get(tenantId)?.origin === seen.origin) return places;
  return new Map(places).set(key, new Map(places.get(key)).set(tenantId, seen));
}

/** At a loopback address every program can listen, each with its own log: there the name of the log is the place. */
function keyOf({ id, isLoopback }: Place, origin: string): string {
  return isLoopback ? `loopback ${parseOrigin(origin).logName}` : id;
}

/** Forgets a log wherever it was seen. */
export function withoutSeen(places: KnownPlaces, origin: string): KnownPlaces {
  const rest = new Map<string, ReadonlyMap<string, SeenLog>>();
  for (const [place, logs] of places) {
    const others = [...logs].filter(([, seen]) => seen.origin !== origin);
    if (others.length > 0) rest.set(place, new Map(others));
  }
  return rest;
}

/**
 * The log that a tenant had at a place when it was last trusted there.
 *
 * @param origin the log that the place shows now
 */
export function seenBefore(
  places: KnownPlaces,
  known: KnownLogs,
  place: Place,
  origin: string,
): SeenLog | undefined {
  const { tenantId } = parseOrigin(origin);
  const seen = places.get(keyOf(place, origin))?.get(tenantId);
  return seen ?? (place.isLoopback ? undefined : pinnedAt(known, place).get(tenantId));
}

/**
 * The logs that a place must still have, by tenant.
 *
 * @param origins the logs that it shows now
 */
export function logsExpectedAt(
  places: KnownPlaces,
  known: KnownLogs,
  place: Place,
  origins: Iterable<string>,
): ReadonlyMap<string, SeenLog> {
  const keys = new Set(place.isLoopback ? [...origins].map((origin) => keyOf(place, origin)) : [place.id]);
  return new Map([...pinnedAt(known, place), ...[...keys].flatMap((key) => [...(places.get(key) ?? [])])]);
}

/**
 * The logs whose keys were pinned at their first use at a place. Versions without known-places.json kept places in this form
 * alone. Where a tenant has several, the newest counts.
 */
function pinnedAt(known: KnownLogs, { id }: Place): ReadonlyMap<string, SeenLog> {
  const seen = new Map<string, SeenLog>();
  for (const { origin, pin } of known.values()) {
    if (pin?.from !== id) continue;
    const { tenantId } = parseOrigin(origin);
    const log = { origin, seenAt: pin.pinnedAt };
    const other = seen.get(tenantId);
    if (other === undefined || isLater(log, other)) seen.set(tenantId, log);
  }
  return seen;
}

/** Of one log the later epoch, of two logs the one that was pinned later. */
function isLater(one: SeenLog, other: SeenLog): boolean {
  const [a, b] = [parseOrigin(one.origin), parseOrigin(other.origin)];
  return a.logName === b.logName ? a.epoch > b.epoch : one.seenAt > other.seenAt;
}
