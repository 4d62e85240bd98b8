import { createHash } from 'node:crypto';
import { parseOrigin, type SealedRecord } from '@tallystick/log';
import { base64, origin } from './fixture.ts';
import { inclusion } from './naive-tree.ts';

/** Writes bundles (spec/bundle.md) in two steps, so that a case can change the lines before the end line is added. */

export interface Parts {
  readonly records: readonly SealedRecord[];
  readonly checkpoints: readonly string[];
  readonly complete?: boolean;
  /** Leaves of the first checkpoint's tree, for the proofs of an incomplete bundle. */
  readonly leaves?: readonly Uint8Array[];
  /** Lines between the checkpoints and the records. */
  readonly between?: readonly unknown[];
  readonly header?: object;
  readonly origin?: string;
}

/** All lines of a bundle except the end line, without line breaks. */
export function linesOf(parts: Parts): string[] {
  const { records, checkpoints, complete = true, leaves = [] } = parts;
  const own = parts.origin ?? origin;
  const { tenantId, epoch } = parseOrigin(own);
  const sequence = (record: SealedRecord | undefined) =>
    record === undefined ? 0 : (JSON.parse(record.text).sequence_number as number);
  const header = {
    tallystick_bundle: 1,
    tenant_id: tenantId,
    origin: own,
    epoch,
    first: complete ? 0 : sequence(records[0]),
    last: sequence(records.at(-1)),
    complete,
    ...parts.header,
  };
  return [
    JSON.stringify(header),
    ...checkpoints.map((checkpoint) => JSON.stringify({ checkpoint })),
    ...(parts.between ?? []).map((line) => JSON.stringify(line)),
    ...records.flatMap((record) => {
      const index = sequence(record);
      return complete
        ? [recordLine(record.text)]
        : [recordLine(record.text), proofLine(index, inclusion(index, leaves))];
    }),
  ];
}

export const recordLine = (text: string): string => `{"record":${text}}`;
export const proofLine = (index: number, hashes: readonly Uint8Array[]): string =>
  JSON.stringify({ proof: { index, hashes: hashes.map(base64) } });

/** The whole file: the lines, and the end line with their count and digest. */
export function seal(lines: readonly string[], end: object = {}): string {
  const body = lines.map((line) => `${line}\n`).join('');
  const records = lines.filter((line) => line.startsWith('{"record":')).length;
  const sha256 = createHash('sha256').update(body).digest('hex');
  return `${body}${JSON.stringify({ end: { records, lines: lines.length, sha256, ...end } })}\n`;
}
