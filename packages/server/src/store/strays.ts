import { type ChainRange, findStrays as findOutside, type Stray, strayText } from '@tallystick/verify';
import type { Queries } from './database.ts';

const rangesSql = 'select epoch, last_sequence from audit_chain_ranges where tenant_id = $1 order by epoch';

/** Rows that do not belong to the chain of a tenant, `limit` at most. The triggers of the store refuse them from the service's login. */
export async function findStrays(session: Queries, tenantId: string, limit: number): Promise<Stray[]> {
  const ranges = await session.query<ChainRange>(rangesSql, [tenantId]);
  const query = async (sql: string, parameters: readonly unknown[]) =>
    await session.query<{ readonly [column: string]: unknown }>(sql, parameters);
  return await findOutside(query, tenantId, ranges, limit);
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
