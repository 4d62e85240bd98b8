import { createHash } from 'node:crypto';

/** Tenants are divided into so many buckets. Each bucket has one lease, so the number of leases does not grow with the tenants. */
export const bucketCount = 16;

/** The bucket of a tenant. `changed-tenants.sql` computes the same number. */
export function bucketOf(tenantId: string): number {
  return createHash('sha256').update(tenantId).digest()[0]! % bucketCount;
}
