import type { DatabaseFollower, FollowedPage, OutsideFollower } from '../../src/followers/follower.ts';
import { deliveryKey } from '../../src/followers/follower.ts';
import type { Database } from '../../src/store/database.ts';

/** Table of effects: a row for every record that a follower applied. Twice applied is twice here. */
export const effectsSql = `
  create table if not exists test_effects (
    id bigint generated always as identity, follower text, generation integer, tenant_id text, epoch integer, sequence_number bigint, hash text
  );
  grant select, insert, delete on test_effects to`;

/** A follower that notes each record in a table. */
export function noting(name: string, refuse?: (page: FollowedPage) => void): DatabaseFollower {
  return {
    name,
    effect: 'database',
    pageRecords: 7,
    async apply(session, page) {
      refuse?.(page);
      await session.query(
        `insert into test_effects (follower, generation, tenant_id, epoch, sequence_number, hash)
         select $1, $2::integer, $3, * from unnest($4::integer[], $5::bigint[], $6::text[])`,
        [
          name,
          page.generation,
          page.tenantId,
          page.records.map(({ epoch }) => epoch),
          page.records.map(({ sequence }) => sequence),
          page.records.map(({ hash }) => hash),
        ],
      );
    },
    async clear(session, generation, tenantId) {
      await session.query(
        'delete from test_effects where follower = $1 and generation = $2::integer and ($3::text is null or tenant_id = $3)',
        [name, generation, tenantId ?? null],
      );
      return false;
    },
  };
}

/** A follower that delivers into memory. */
export function delivering(
  name: string,
  delivered: string[],
  deliver: (page: FollowedPage) => Promise<void> = async () => undefined,
): OutsideFollower {
  return {
    name,
    effect: 'outside',
    pageRecords: 7,
    async deliver(page) {
      await deliver(page);
      delivered.push(...page.records.map((record) => deliveryKey(page, record)));
    },
  };
}

export interface EffectRow {
  readonly generation: number;
  readonly epoch: number;
  readonly sequence_number: number;
  readonly hash: string;
}

/** What a follower has noted of a tenant, in the order in which it was noted. */
export async function effectsOf(
  database: Database,
  follower: string,
  tenantId: string,
  generation = 1,
): Promise<EffectRow[]> {
  return await database.query<EffectRow>(
    { role: 'writer' },
    `select generation, epoch, sequence_number, hash from test_effects
      where follower = $1 and tenant_id = $2 and generation = $3::integer order by id`,
    [follower, tenantId, generation],
  );
}
