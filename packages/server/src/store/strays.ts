import {
  findStrays as findOutside,
  readListedEpochs,
  type Stray,
  strayEpochs,
  strayText,
} from '@tallystick/verify';
import type { Queries, Row } from './database.ts';

interface Head {
  readonly epoch: number;
  readonly last_sequence: number;
}

const headSql = 'select epoch, last_sequence from audit_chain_state where tenant_id = $1';

/**
 * Rows that do not belong to the chain of a tenant, `limit` at most. The triggers of the store refuse them from the service's login.
 *
 * @param known whether an operator opened this epoch, as the signer's store says. The store lists an epoch as closed when the head
 *   moves on from it, also if somebody moved the head into an epoch that was never opened. Absent: every listed epoch counts
 */
export async function findStrays(
  session: Queries,
  tenantId: string,
  limit: number,
  known: (epoch: number) => boolean = () => true,
): Promise<Stray[]> {
  const readHead = async () => {
    const [row] = await session.query<Head>(headSql, [tenantId]);
    return row;
  };
  for (;;) {
    const head = await readHead();
    const strays = await findBeside(session, tenantId, head, limit, known);
    if (strays.length === 0) return strays;
    // A batch that is committed after the head was read looks like a stray. So what is found counts only if the head is still the same.
    const after = await readHead();
    if (after?.epoch === head?.epoch && after?.last_sequence === head?.last_sequence) return strays;
  }
}

async function findBeside(
  session: Queries,
  tenantId: string,
  row: Head | undefined,
  limit: number,
  known: (epoch: number) => boolean,
): Promise<Stray[]> {
  const query = (sql: string, parameters: readonly unknown[]) => session.query<Row>(sql, parameters);
  const head = row !== undefined && row.last_sequence >= 0 ? row : undefined;
  const listed = await readListedEpochs(query, tenantId);
  const isClosed = (epoch: number) => epoch >= 1 && epoch < (head?.epoch ?? Infinity) && known(epoch);
  const closed = listed.filter(({ epoch, last_sequence }) => isClosed(epoch) && last_sequence >= 0);
  const epochs = strayEpochs(listed, isClosed).slice(0, limit);
  const ranges = head === undefined ? closed : [...closed, head];
  return [...epochs, ...(await findOutside(query, tenantId, ranges, limit - epochs.length))];
}

const remedy = 'see `tally strays`';

/** Why a chain with a stray is stopped. */
export function strayReason(stray: Stray): string {
  return `the store has ${strayText(stray)}, which does not belong to the chain: ${remedy}`;
}

/** Whether a chain is stopped for a stray, and not because it contradicts what was signed. */
export function isStrayReason(reason: string): boolean {
  return reason.endsWith(remedy);
}
