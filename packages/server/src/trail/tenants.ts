import type { TenantInfo, Verdict } from '@tallystick/protocol';
import type { Database } from '../store/database.ts';
import { writer } from '../store/database.ts';
import { readSql } from '../store/sql.ts';
import { timeText } from '../store/time-text.ts';

const listTenants = readSql('list-tenants');

/**
 * A page of the tenants that have a chain, in the order of their ids.
 *
 * @param page.among only these tenants; all where absent
 * @param page.after the last id of the page before
 */
export async function tenantPage(
  database: Database,
  page: { readonly among: readonly string[] | undefined; readonly after: string; readonly limit: number },
): Promise<{ readonly tenants: readonly TenantInfo[]; readonly next: string | undefined }> {
  const rows = await database.query<
    Omit<TenantInfo, 'last_ingested_at' | 'signed_at' | 'last_verification'> & {
      readonly last_ingested_at: Date;
      readonly signed_at: Date | null;
      readonly verdict: Verdict | null;
      readonly verified_at: Date | null;
      /** Of a report, which somebody may have edited in the database. */
      readonly last_checked: unknown;
    }
  >(writer, listTenants, [page.among === undefined ? null : [...page.among], page.after, page.limit + 1]);
  const tenants = rows.slice(0, page.limit).map(({ verdict, verified_at, last_checked, ...row }) => ({
    ...row,
    last_ingested_at: timeText(row.last_ingested_at),
    signed_at: row.signed_at === null ? null : timeText(row.signed_at),
    last_verification:
      verdict === null || verified_at === null || !verdicts.has(verdict)
        ? null
        : { verdict, checked_at: timeText(verified_at), size: sizeOf(last_checked) },
  }));
  return { tenants, next: rows.length > page.limit ? tenants.at(-1)!.tenant_id : undefined };
}

/** What a row of a check may say; another value was edited in the database. */
const verdicts: ReadonlySet<Verdict> = new Set(['verified', 'recovered', 'broken', 'not_verifiable']);

function sizeOf(lastChecked: unknown): number {
  return Number.isSafeInteger(lastChecked) && Number(lastChecked) >= 0 ? Number(lastChecked) + 1 : 0;
}
