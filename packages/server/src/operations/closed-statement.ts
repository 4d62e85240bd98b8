import {
  type ClosedEpoch,
  type ClosedEpochText,
  FrontierBuilder,
  formatLeftRange,
  type LeftRange,
  LogError,
  leafHash,
  maxLeftRanges,
  parseOrigin,
  readClosedEpochs,
  readGenesis,
  readRecord,
  sha256,
} from '@tallystick/log';
import type { Signer } from '../proofs/signer.ts';
import type { LastSigned } from '../proofs/signer-store.ts';
import { type Database, writer } from '../store/database.ts';

/**
 * What the genesis record of a new epoch says about all epochs before it: the last checkpoint that was signed for each, and
 * the records that the store still has. From then on these records are under the signature of the new epoch.
 *
 * An epoch that was closed earlier keeps the statement that was made then, if the store still has it. Otherwise a second
 * recovery could cover up a change of its records.
 */
export async function stateClosedEpochs(
  database: Database,
  signer: Signer,
  tenantId: string,
): Promise<readonly ClosedEpochText[]> {
  const signed = signer.store.lastSignedByTenant().get(tenantId) ?? [];
  const earlier = await earlierStatement(database, tenantId, signed);
  const statements: ClosedEpochText[] = [];
  for (const checkpoint of signed) {
    const { epoch } = parseOrigin(checkpoint.origin);
    const stated = earlier.find((closed) => closed.epoch === epoch);
    // The signer returns the note that it made before, or makes it where a process died between recording and signing it.
    const note = stated?.note ?? (await signer.sign(checkpoint, async () => undefined))!;
    const left = stated?.left ?? (await readLeft(database, tenantId, epoch, checkpoint.size));
    statements.push({ checkpoint: note, left: left.map(formatLeftRange) });
  }
  return statements;
}

/** What the newest genesis record that the store still has says about the epochs before it. */
async function earlierStatement(
  database: Database,
  tenantId: string,
  signed: readonly LastSigned[],
): Promise<readonly ClosedEpoch[]> {
  for (const { origin } of signed) {
    const [row] = await database.query<{ record: string }>(
      writer,
      'select record from audit_records where tenant_id = $1 and epoch = $2::integer and sequence_number = 0',
      [tenantId, parseOrigin(origin).epoch],
    );
    if (row === undefined) continue;
    try {
      const { origin: own, recovery } = readGenesis(readRecord(row.record));
      const stated = own === origin ? readClosedEpochs(recovery, origin) : undefined;
      if (stated !== undefined) return stated;
    } catch (error) {
      // An altered genesis record states nothing.
      if (!(error instanceof LogError)) throw error;
    }
  }
  return [];
}

const pageRecords = 1_000;
const pageSql = `
  select sequence_number, record from audit_records
   where tenant_id = $1 and epoch = $2::integer and sequence_number > $3::bigint
     and sequence_number <= greatest($4::bigint - 1, (
       select max(last_sequence) from audit_chain_ranges where tenant_id = $1 and epoch = $2::integer))
   order by sequence_number limit ${pageRecords}`;

/**
 * The records of an epoch that the store has, as ranges with the roots of their trees. Positions beyond both the head and the
 * last checkpoint do not belong to the epoch.
 */
async function readLeft(
  database: Database,
  tenantId: string,
  epoch: number,
  signedSize: number,
): Promise<LeftRange[]> {
  const ranges: LeftRange[] = [];
  let tree = new FrontierBuilder();
  let first = 0;
  let next = 0;
  const close = () => {
    if (tree.size > 0) ranges.push({ first, last: next - 1, root: tree.root() });
    tree = new FrontierBuilder();
  };
  let after = -1;
  for (;;) {
    const rows = await database.query<{ sequence_number: number; record: string }>(writer, pageSql, [
      tenantId,
      epoch,
      after,
      signedSize,
    ]);
    for (const { sequence_number, record } of rows) {
      // A position that two partitions have was planted in one of them. The first row counts, and checks report the other.
      if (sequence_number < next) continue;
      if (sequence_number > next || tree.size === 0) {
        close();
        first = sequence_number;
        if (ranges.length === maxLeftRanges) return ranges;
      }
      tree.append(leafHash(sha256(record)));
      next = sequence_number + 1;
    }
    if (rows.length < pageRecords) break;
    after = rows.at(-1)!.sequence_number;
  }
  close();
  return ranges;
}
