import type { TenantInfo } from '@tallystick/protocol';
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
    Omit<TenantInfo, 'last_ingested_at'> & { readonly last_ingested_at: Date }
  >(writer, listTenants, [page.among === undefined ? null : [...page.among], page.after, page.limit + 1]);
  const tenants = rows
    .slice(0, page.limit)
    .map((row) => ({ ...row, last_ingested_at: row.last_ingested_at.toISOString() }));
  return { tenants, next: rows.length > page.limit ? tenants.at(-1)!.tenant_id : undefined };
}
