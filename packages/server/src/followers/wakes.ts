import { type Database, type Queries, writer } from '../store/database.ts';
import { bucketOf } from './buckets.ts';

/** Most tenants that one message names. The comparison of heads and cursors finds the others. */
const maxWakes = 10_000;

/**
 * Tells the replicas that hold the buckets of these tenants that their chains have grown. It only saves time: what is lost here is found by
 * the next comparison of heads and cursors.
 */
export async function postWakes(database: Database, tenantIds: readonly string[]): Promise<void> {
  const some = [...tenantIds].sort().slice(0, maxWakes);
  await database.query(
    writer,
    `insert into audit_follower_wakes (tenant_id, bucket) select * from unnest($1::text[], $2::integer[])
     on conflict do nothing`,
    [some, some.map(bucketOf)],
  );
}

/** Takes the wakes of these buckets. */
export async function takeWakes(session: Queries, buckets: readonly number[]): Promise<string[]> {
  const rows = await session.query<{ tenant_id: string }>(
    `delete from audit_follower_wakes where tenant_id in (
       select tenant_id from audit_follower_wakes where bucket = any ($1::integer[]) limit ${maxWakes} for update skip locked)
     returning tenant_id`,
    [[...buckets]],
  );
  return rows.map(({ tenant_id }) => tenant_id);
}
