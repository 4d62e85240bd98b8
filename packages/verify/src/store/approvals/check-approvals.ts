import type { FindingSink } from '../../report.ts';
import type { Query } from '../read-store.ts';
import { type ApprovalDifference, differencesOf } from './compare.ts';
import {
  type ApprovalRow,
  readApprovalPages,
  readApprovalRow,
  readChanges,
  readRequestsWithoutRow,
  readRowsWithoutChain,
} from './read-approvals.ts';
import { ReplayedApproval } from './replay.ts';

/** Whose approvals are compared with the records. */
export interface ApprovalsOptions {
  readonly tenantId: string;
  /** Epoch of the report: findings name only others. */
  readonly epoch: number;
  /**
   * Tenant of the service's own records. Its verification also reports the approvals of tenants that have no chain.
   * @defaultValue 'tallystick'
   */
  readonly serviceTenant?: string | undefined;
}

/** How often a row is read again that changed while its records were read. */
const maxReads = 5;

/**
 * Compares the table of approvals with the service's records of them in one tenant's chain. Each column that was edited, and each row
 * that was deleted or inserted with other means than the service's, is a finding. The table is read in pages, while the service goes on to
 * change it. The records themselves are checked with the chain.
 */
export async function checkApprovals(
  query: Query,
  { tenantId, epoch, serviceTenant = 'tallystick' }: ApprovalsOptions,
  findings: FindingSink,
): Promise<void> {
  for await (const rows of readApprovalPages(query, tenantId)) {
    const replayed = await replay(query, tenantId, rows);
    for (const row of rows) await checkRow(query, tenantId, row, replayed.get(row.id)!, report);
  }
  for await (const request of readRequestsWithoutRow(query, tenantId)) {
    const id = ReplayedApproval.targetOf(request);
    if (id !== undefined) report(id, { ...request, column: 'row', recorded: 'a request', stored: 'no row' });
  }
  if (tenantId !== serviceTenant) return;
  for (const { id } of await readRowsWithoutChain(query)) {
    const found = `${id}: a row that no chain records`;
    findings.add({ code: 'APPROVAL_MISMATCH', sequence_number: null, found });
  }

  function report(id: string, { column, recorded, stored, ...place }: Reported): void {
    findings.add({
      code: 'APPROVAL_MISMATCH',
      sequence_number: place.sequence < 0 ? null : place.sequence,
      ...(place.sequence >= 0 && place.epoch !== epoch && { epoch: place.epoch }),
      expected: `${id} ${column}: ${recorded}`,
      found: stored,
    });
  }
}

type Reported = ApprovalDifference | (Omit<ApprovalDifference, 'column'> & { readonly column: 'row' });

/** What the records say of the approvals of a page. */
async function replay(
  query: Query,
  tenantId: string,
  rows: readonly ApprovalRow[],
): Promise<ReadonlyMap<string, ReplayedApproval>> {
  const replayed = new Map(rows.map(({ id }) => [id, new ReplayedApproval()]));
  const ids = [...replayed.keys()];
  for await (const change of readChanges(query, tenantId, ids)) {
    const target = ReplayedApproval.targetOf(change);
    if (target !== undefined) replayed.get(target)?.apply(change);
  }
  return replayed;
}

/** A row that the desk changed between two reads is read again, with its records. */
async function checkRow(
  query: Query,
  tenantId: string,
  first: ApprovalRow,
  firstReplayed: ReplayedApproval,
  report: (id: string, difference: Reported) => void,
): Promise<void> {
  let [row, replayed] = [first, firstReplayed];
  for (let reads = 1; ; reads++) {
    const differences = replayed.sequence < 0 ? [unrecorded] : differencesOf(row, replayed);
    if (differences.length === 0) return;
    const again = await readApprovalRow(query, tenantId, row.id);
    if (reads === maxReads || again === undefined || isSame(row, again)) {
      for (const difference of differences) report(row.id, difference);
      return;
    }
    row = again;
    replayed = (await replay(query, tenantId, [row])).get(row.id)!;
  }
}

const unrecorded = {
  column: 'row',
  recorded: 'no record',
  stored: 'a row without a record',
  sequence: -1,
  epoch: 0,
} as const;

function isSame(one: ApprovalRow, other: ApprovalRow): boolean {
  return one.version === other.version && one.approval === other.approval;
}
