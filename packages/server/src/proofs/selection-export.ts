import { multiproofGap, rotationToJson, toBase64 } from '@tallystick/log';
import type { EventView, EvidenceHead, EvidenceLine } from '@tallystick/protocol';
import { ServerError } from '../errors.ts';
import type { Database } from '../store/database.ts';
import { type ExportRequest, exportPages } from '../trail/export.ts';
import { readerOf, type Trail } from '../trail/trail.ts';
import type { ViewOptions } from '../trail/view.ts';
import type { EvidenceSources, ListedPlace } from './page-evidence.ts';
import { type LogId, nodeReader, readTree } from './tree-reader.ts';

/** Records whose proofs are computed at a time: computing blocks the process. */
const provenRecords = 100;

/** The tree that an export with evidence is proven with. */
export interface SelectionTree {
  readonly epoch: number;
  readonly size: number;
}

/**
 * Decides which checkpoint proves an export, as for a bundle: the newest one, or a new one if that does not cover the last record.
 *
 * @throws {ServerError} `NOT_FOUND` for a tenant without a chain; `CHAIN_STOPPED`, `CHECKPOINT_INCONSISTENT`
 */
export async function planSelection(
  { logs, signer }: EvidenceSources,
  tenantId: string,
  until: ListedPlace,
): Promise<{ readonly head: EvidenceHead; readonly tree: SelectionTree }> {
  const latest = await logs.latestCheckpoint(tenantId);
  const isCovered = latest !== undefined && latest.epoch === until.epoch && latest.size > until.sequence;
  const { origin, epoch, size, note } = isCovered ? latest : await logs.checkpoint(tenantId);
  const rotations = (await signer.rotations.evidenceFor(origin)).map(rotationToJson);
  const head = { tallystick_selection: 1, origin, checkpoint: note, rotations } as const;
  return { head, tree: { epoch, size } };
}

/** Which records, and with which tree they are proven. */
export interface SelectionRequest extends Omit<ExportRequest, 'format'> {
  readonly tree: SelectionTree;
  /** The first line; absent if the export continues after a place. */
  readonly head: EvidenceHead | undefined;
}

/**
 * The lines of an export with evidence: the head, the bytes of each record with the hashes of the multiproof before it, and the hashes after
 * the last one. Those between two records do not depend on the size of the tree, so an export can go on after any line.
 *
 * @param view with the bytes of records
 * @param signal ends the export; the iteration then throws the signal's reason
 */
export async function* selectionLines(
  { trail, database }: { readonly trail: Trail; readonly database: Database },
  request: SelectionRequest,
  view: ViewOptions,
  signal: AbortSignal,
): AsyncGenerator<string> {
  const { tenantId, after, tree, head } = request;
  if (head !== undefined) yield `${JSON.stringify(head)}\n`;
  const isInTree = ({ epoch, sequence }: ListedPlace) => epoch === tree.epoch && sequence < tree.size;
  /** The first leaf that no line covers yet. */
  let next = after !== undefined && isInTree(after) ? after.sequence + 1 : 0;
  const log = { tenantId, epoch: tree.epoch };
  for await (const events of exportPages(trail, request, view, signal)) {
    for (let at = 0; at < events.length; at += provenRecords) {
      signal.throwIfAborted();
      const part = events.slice(at, at + provenRecords);
      const gaps = part.map((event) => {
        const place = placeOf(event);
        if (!isInTree(place)) return [];
        const gap = multiproofGap(next, place.sequence);
        next = place.sequence + 1;
        return gap;
      });
      const hashes = await readHashes(database, log, tree.size, gaps);
      yield part.map((event, index) => `${JSON.stringify(lineOf(event, hashes[index]!))}\n`).join('');
    }
  }
  const rest = next === 0 ? [] : multiproofGap(next, tree.size);
  const [hashes] = await readHashes(database, log, tree.size, [rest]);
  yield `${JSON.stringify({ end: { hashes } })}\n`;
}

/** The hashes of the subtrees of each gap, base64. */
async function readHashes(
  database: Database,
  log: LogId,
  size: number,
  gaps: readonly ReturnType<typeof multiproofGap>[],
): Promise<string[][]> {
  const nodes = gaps.flat();
  if (nodes.length === 0) return gaps.map(() => []);
  const hashes = await database.transaction(readerOf(log.tenantId), async (session) => {
    const tree = await readTree(session, log.tenantId);
    if (tree === undefined || tree.epoch !== log.epoch || tree.frontier.size < size)
      throw new ServerError(
        'CHECKPOINT_INCONSISTENT',
        'the store does not have all records that the checkpoint covers',
      );
    return await nodeReader(session, log, size)(nodes);
  });
  let at = 0;
  return gaps.map((gap) => {
    at += gap.length;
    return hashes.slice(at - gap.length, at).map(toBase64);
  });
}

function lineOf({ record, ...shown }: EventView, hashes: readonly string[]): EvidenceLine {
  const { epoch, sequence } = placeOf(shown);
  const base = { epoch, sequence_number: sequence, ...(hashes.length > 0 && { hashes }) };
  // A record has no line break. One that has was tampered with, and would end the line of the file that it is written to.
  if (typeof record === 'string' && shown.damaged !== true && !record.includes('\n'))
    return { ...base, record };
  return { ...base, withheld: shown.redacted === true ? shown : { ...identityOf(shown), damaged: true } };
}

/** What is shown of a record whose bytes are no record any more. */
function identityOf(shown: EventView): EventView {
  const { tenant_id, audit_id, epoch, sequence_number, previous_hash, record_hash, ingested_at } = shown;
  return { tenant_id, audit_id, epoch, sequence_number, previous_hash, record_hash, ingested_at };
}

function placeOf({ epoch, sequence_number }: EventView): ListedPlace {
  return { epoch: Number(epoch), sequence: Number(sequence_number) };
}
