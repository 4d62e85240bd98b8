import { proveLeaves, rotationToJson, toBase64 } from '@tallystick/log';
import type { PageEvidence } from '@tallystick/protocol';
import { ServerError } from '../errors.ts';
import type { Database } from '../store/database.ts';
import { readerOf } from '../trail/trail.ts';
import type { Signer } from './signer.ts';
import type { TenantLogs } from './tenant-logs.ts';
import { type LogId, nodeReader, readTree } from './tree-reader.ts';

/** What proofs of listed records are made from. An `AuditService` has all of it. */
export interface EvidenceSources {
  readonly database: Database;
  readonly logs: TenantLogs;
  readonly signer: Signer;
}

/** The place of a record. */
export interface ListedPlace {
  readonly epoch: number;
  readonly sequence: number;
}

/**
 * Evidence for records of a page: the newest checkpoint that exists, and one proof of all records that it covers. Nothing is signed: a
 * request costs no signature, and a record that was chained a moment ago is proven when the next checkpoint covers it.
 *
 * @returns `undefined` for a tenant without a chain
 * @throws {ServerError} `CHECKPOINT_INCONSISTENT` where the store has fewer records than the checkpoint covers
 */
export async function evidenceOf(
  sources: EvidenceSources,
  tenantId: string,
  places: readonly ListedPlace[],
): Promise<PageEvidence | undefined> {
  const { database, logs, signer } = sources;
  const latest = await logs.latestCheckpoint(tenantId);
  const tree = await database.transaction(readerOf(tenantId), (session) => readTree(session, tenantId));
  if (tree === undefined) return undefined;
  const origin = latest?.origin ?? signer.originOf(tree);
  const base = {
    origin,
    keys: signer.verifierKeys(origin).map(({ key }) => key),
    rotations: (await signer.rotations.evidenceFor(origin)).map(rotationToJson),
  };
  if (latest === undefined) return { ...base, hashes: [] };
  const { epoch, size, note } = latest;
  const indexes = places
    .filter((place) => place.epoch === epoch && place.sequence < size)
    .map(({ sequence }) => sequence)
    .sort((a, b) => a - b);
  const hashes = indexes.length === 0 ? [] : await multiproof(database, { tenantId, epoch }, indexes, size);
  return { ...base, checkpoint: note, hashes: hashes.map(toBase64) };
}

/** One proof that the tree of `size` leaves contains records of these sequence numbers, which ascend. */
async function multiproof(
  database: Database,
  log: LogId,
  indexes: readonly number[],
  size: number,
): Promise<Uint8Array[]> {
  return await database.transaction(readerOf(log.tenantId), async (session) => {
    const tree = await readTree(session, log.tenantId);
    // A store that was set back has fewer records than were signed.
    if (tree === undefined || (tree.epoch === log.epoch && tree.frontier.size < size))
      throw new ServerError(
        'CHECKPOINT_INCONSISTENT',
        'the store has fewer records than the newest checkpoint covers',
      );
    return await proveLeaves(indexes, size, nodeReader(session, log, size));
  });
}
