/** The file that the viewer offers as a download when a log contradicts what the browser verified before. */
import {
  type Checkpoint,
  fromBase64,
  LogError,
  parseCheckpoint,
  parseNote,
  type RotationJson,
  rotationFromJson,
  toBase64,
} from '@tallystick/log';
import { type CheckpointRelation, compareCheckpoints } from '../compare-checkpoints.ts';

/** Every report begins with these characters. */
export const forkReportBegin = '{"format":"tallystick/fork-report@v1"';

/** Longest report, bytes: two notes, a proof and rotations are never longer. */
export const maxForkReportBytes = 1 << 20;

/** Two checkpoints of a log, as a reader saw them, and what the service said to it. */
export interface ForkReport {
  /** The signed note that the reader verified before. */
  readonly kept: string;
  /** When, RFC 3339. */
  readonly keptAt?: string | undefined;
  /** The signed note that the service showed now. */
  readonly shown: string;
  /** When, RFC 3339. */
  readonly shownAt: string;
  /** Hashes of the proof that the service gave; absent where it gave none. */
  readonly consistency?: readonly Uint8Array[] | undefined;
  readonly rotations?: readonly RotationJson[] | undefined;
  /** The address that the reader used. For people. */
  readonly server: string;
}

/** The bytes of a report, as text. */
export function formatForkReport(report: ForkReport): string {
  const { kept, keptAt, shown, shownAt, consistency, rotations, server } = report;
  return `${JSON.stringify({
    format: 'tallystick/fork-report@v1',
    server,
    kept,
    kept_at: keptAt,
    shown,
    shown_at: shownAt,
    consistency: consistency?.map(toBase64),
    rotations,
  })}\n`;
}

/** What a report says about its two checkpoints. It checks no signatures. */
export interface ReadForkReport extends ForkReport {
  readonly checkpoints: readonly [kept: Checkpoint, shown: Checkpoint];
  readonly relation: CheckpointRelation;
}

/** Reads a report. It is not trusted: an attacker may have written it. `undefined`: it is not a report, or a damaged one. */
export function readForkReport(text: string): ReadForkReport | undefined {
  if (!text.startsWith(forkReportBegin) || text.length > maxForkReportBytes) return undefined;
  try {
    const given = JSON.parse(text) as { readonly [member: string]: unknown };
    const { kept, shown, kept_at, shown_at, consistency, rotations = [], server } = given;
    if (typeof kept !== 'string' || typeof shown !== 'string' || !Array.isArray(rotations)) return undefined;
    // People read these three beside the verdict: they have no room for words.
    if (!isTime(shown_at) || !(kept_at === undefined || isTime(kept_at)) || !isAddress(server))
      return undefined;
    for (const rotation of rotations) rotationFromJson(rotation as RotationJson);
    const checkpoints = [read(kept), read(shown)] as const;
    const hashes = consistency === undefined ? undefined : readHashes(consistency);
    return {
      kept,
      keptAt: kept_at,
      shown,
      shownAt: shown_at,
      server,
      ...(hashes !== undefined && { consistency: hashes }),
      rotations: rotations as RotationJson[],
      checkpoints,
      relation: compareCheckpoints(...checkpoints, hashes),
    };
  } catch (error) {
    if (error instanceof LogError || error instanceof SyntaxError || error instanceof TypeError)
      return undefined;
    throw error;
  }
}

function isTime(value: unknown): value is string {
  return typeof value === 'string' && /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?Z$/.test(value);
}

function isAddress(value: unknown): value is string {
  return typeof value === 'string' && /^https?:\/\/[\x21-\x7e]{1,2000}$/.test(value);
}

function read(note: string): Checkpoint {
  return parseCheckpoint(parseNote(note).text);
}

function readHashes(given: unknown): readonly Uint8Array[] {
  if (!Array.isArray(given) || given.length > 128) throw new TypeError('no list of hashes');
  return given.map((text) => {
    const hash = typeof text === 'string' ? fromBase64(text) : undefined;
    if (hash?.length !== 32) throw new TypeError('no hash');
    return hash;
  });
}
