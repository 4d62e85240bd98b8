import type { TenantInfo, Verdict } from '@tallystick/protocol';
import type { Database } from '../store/database.ts';
import { writer } from '../store/database.ts';
import { readSql } from '../store/sql.ts';

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
      readonly checked_size: number | null;
    }
  >(writer, listTenants, [page.among === undefined ? null : [...page.among], page.after, page.limit + 1]);
  const tenants = rows.slice(0, page.limit).map(({ verdict, verified_at, checked_size, ...row }) => ({
    ...row,
    last_ingested_at: row.last_ingested_at.toISOString(),
    signed_at: row.signed_at?.toISOString() ?? null,
    last_verification:
      verdict === null || verified_at === null
        ? null
        : { verdict, checked_at: verified_at.toISOString(), size: checked_size ?? 0 },
  }));
  return { tenants, next: rows.length > page.limit ? tenants.at(-1)!.tenant_id : undefined };
}
