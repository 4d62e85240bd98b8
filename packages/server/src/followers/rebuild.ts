import { type Database, type Session, writer } from '../store/database.ts';
import { bucketCount } from './buckets.ts';
import type { FollowerControl } from './control.ts';
import { changedTenants } from './cursors.ts';
import type { Follower } from './follower.ts';

/** With so few tenants left to read, the generation in use waits until the new one has overtaken it. */
const fewTenants = 100;

const allBuckets = Array.from({ length: bucketCount }, (_, bucket) => bucket);

/**
 * Takes the next step of a rebuild. A reset made a new generation, which is filled from the start of every chain while readers use the
 * old one. When it has nearly caught up, the old one is held, so that it does not run ahead; when no tenant is behind it, readers use the
 * new one, in one statement. Each step is stored, and every replica may take it.
 *
 * A tenant for which the new generation has stopped does not hold up the others.
 *
 * @returns whether readers use the new generation from now on
 */
export async function advanceRebuild(
  database: Database,
  follower: Follower,
  { generation, building, holding }: FollowerControl,
): Promise<boolean> {
  if (building === undefined) return false;
  const set = { follower: follower.name, generation: building };
  if (!holding) {
    const behind = await changedTenants(database, set, allBuckets, fewTenants + 1);
    if (behind.length > fewTenants) return false;
    await database.query(
      writer,
      'update audit_followers set holding = true where name = $1 and building = $2::integer',
      [follower.name, building],
    );
    return false;
  }
  // A crash after this leaves rows of the old generation, which the next call deletes.
  const swapped = await database.query(writer, swapSql, [follower.name, generation, building]);
  return swapped.length > 0;
}

// The comparison and the swap are one statement: a cursor of the old generation that moves meanwhile belongs to an owner that has not
// seen `holding` yet, and its record is read by the new generation all the same.
const swapSql = `
  update audit_followers f set generation = building, building = null, holding = false
   where name = $1 and generation = $2::integer and building = $3::integer and holding
     and not exists (
       select from audit_follower_cursors o
         left join audit_follower_cursors n on n.follower = $1 and n.generation = $3::integer and n.tenant_id = o.tenant_id
        where o.follower = $1 and o.generation = $2::integer and o.stopped_code is null and n.stopped_code is null
          and (n.tenant_id is null and o.sequence_number >= 0
               or (n.epoch, n.sequence_number) < (o.epoch, o.sequence_number)))
  returning 1 as one`;

/** Deletes what is left of generations that nobody reads or fills. Some thousands of rows per call. */
export async function clearOldGenerations(
  database: Database,
  follower: Follower,
  { generation, building }: FollowerControl,
): Promise<void> {
  const old = await database.query<{ generation: number }>(writer, oldSql, [
    follower.name,
    generation,
    building ?? null,
  ]);
  for (const { generation: each } of old) {
    await database.transaction(writer, async (session) => {
      // Another replica that deletes them now would only be waited for.
      const lock = 'select 1 as one from audit_followers where name = $1 for update skip locked';
      if ((await session.query(lock, [follower.name])).length === 0) return;
      if (follower.effect === 'database' && (await follower.clear(session, each))) return;
      await session.query(
        'delete from audit_follower_cursors where follower = $1 and generation = $2::integer',
        [follower.name, each],
      );
    });
  }
}

// Two probes of the primary key, whatever the number of tenants.
const oldSql = `
  (select generation from audit_follower_cursors where follower = $1 and generation < $2::integer limit 1)
  union all
  (select generation from audit_follower_cursors
    where follower = $1 and generation > $2::integer and generation < $3::integer limit 1)`;

/** Begins a rebuild of all tenants. A rebuild that runs already begins anew. */
export async function beginRebuild(session: Session, name: string): Promise<void> {
  await session.query(
    'update audit_followers set building = coalesce(building, generation) + 1, holding = false where name = $1',
    [name],
  );
}

/** Lets a follower read one tenant's chain again from the start. Its rows of the tenant are gone until it has. */
export async function resetTenant(session: Session, follower: Follower, tenantId: string): Promise<void> {
  const cursors = await session.query<{ generation: number }>(
    `delete from audit_follower_cursors where follower = $1 and tenant_id = $2 returning generation`,
    [follower.name, tenantId],
  );
  if (follower.effect !== 'database') return;
  for (const { generation } of cursors) {
    while (await follower.clear(session, generation, tenantId));
  }
}
