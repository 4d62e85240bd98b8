import { LogError, parseOrigin, type RotationJson, rotationFromJson } from '@tallystick/log';
import { EvidenceError } from './evidence-error.ts';

/** The files of an evidence archive (spec/selection.md). It has each of them once, and no other. */
export const evidenceFileNames = [
  'manifest',
  'checkpoint',
  'multiproof.txt',
  'records.jsonl',
  'events.csv',
] as const;

/** Name of a file of an evidence archive. */
export type EvidenceFileName = (typeof evidenceFileNames)[number];

/** What the records of an evidence archive are from. */
export interface EvidenceManifest {
  readonly origin: string;
  /** How many of the lines of `records.jsonl` are of which epoch, in their order. */
  readonly epochs: readonly (readonly [epoch: number, records: number])[];
  /** Rotations of the log's key, oldest first. */
  readonly rotations: readonly RotationJson[];
}

/** The text of `manifest`. */
export function formatManifest({ origin, epochs, rotations }: EvidenceManifest): string {
  return `${JSON.stringify({ tallystick_selection: 1, origin, epochs, rotations })}\n`;
}

/**
 * Reads `manifest`. There is one text for each manifest, so a change of any byte is noticed or changes the meaning.
 *
 * @throws {EvidenceError} `EVIDENCE_MALFORMED` for any other text
 */
export function readManifest(text: string): EvidenceManifest {
  let value: Record<string, unknown>;
  try {
    value = JSON.parse(text) as Record<string, unknown>;
  } catch (cause) {
    throw new EvidenceError('manifest is not JSON', { cause });
  }
  const { tallystick_selection, origin, epochs, rotations } = value ?? {};
  if (tallystick_selection !== 1) throw new EvidenceError('manifest is of an unknown version');
  if (typeof origin !== 'string' || !areEpochs(epochs) || !Array.isArray(rotations))
    throw new EvidenceError('manifest is malformed');
  try {
    parseOrigin(origin);
    for (const rotation of rotations) rotationFromJson(rotation as RotationJson);
  } catch (cause) {
    if (!(cause instanceof LogError)) throw cause;
    throw new EvidenceError(`manifest is malformed: ${cause.message}`, { cause });
  }
  const manifest = { origin, epochs, rotations: rotations as RotationJson[] };
  if (formatManifest(manifest) !== text) throw new EvidenceError('manifest is malformed');
  return manifest;
}

/** The store counts epochs in 32 bits. */
const maxEpoch = 0x7fffffff;

function areEpochs(value: unknown): value is [number, number][] {
  if (!Array.isArray(value)) return false;
  let last = 0;
  return value.every((pair) => {
    const [epoch, records] = Array.isArray(pair) ? pair : [];
    const isValid =
      pair.length === 2 &&
      Number.isSafeInteger(epoch) &&
      epoch > last &&
      epoch <= maxEpoch &&
      Number.isSafeInteger(records) &&
      records > 0;
    last = epoch;
    return isValid;
  });
}
