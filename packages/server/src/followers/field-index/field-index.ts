import { storedTermHashes, termBlockRecords } from '@tallystick/event';
import type { Session } from '../../store/database.ts';
import type { DatabaseFollower, FollowedPage } from '../follower.ts';

/** Key of the cursors; `tally_find_candidates` has it too. */
const fieldIndexName = 'field-index';

/**
 * Keeps the field index, by which filters find records: the terms of each record in `audit_field_terms`. Reads never depend on it being
 * current: what it has not read yet is read from the chain (`trail/record-source.ts`).
 */
export function fieldIndex(): DatabaseFollower {
  return {
    name: fieldIndexName,
    effect: 'database',
    apply: storeTerms,
    async clear(session, generation, tenantId) {
      if (tenantId !== undefined) {
        const ofTenant = 'delete from audit_field_terms where generation = $1::integer and tenant_id = $2';
        await session.query(ofTenant, [generation, tenantId]);
        return false;
      }
      await session.query(
        `delete from audit_field_terms
          where ctid = any (array(select ctid from audit_field_terms where generation = $1::integer limit 10000))`,
        [generation],
      );
      const left = 'select 1 as one from audit_field_terms where generation = $1::integer limit 1';
      return (await session.query(left, [generation])).length > 0;
    },
  };
}

// Rows that exist already are those of an attempt before the cursor was moved back by hand.
const storeSql = `
  insert into audit_field_terms (generation, tenant_id, epoch, sequence_number, terms)
  select $1::integer, $2, u.epoch, u.sequence_number, u.terms::integer[]
    from unnest($3::integer[], $4::bigint[], $5::text[]) as u(epoch, sequence_number, terms)
      on conflict (generation, tenant_id, epoch, sequence_number) do update set terms = excluded.terms`;

async function storeTerms(session: Session, { tenantId, generation, records }: FollowedPage): Promise<void> {
  const rows = records.map(({ epoch, sequence, record }) => {
    const scope = { tenantId, epoch, block: Math.floor(sequence / termBlockRecords) };
    return { epoch, sequence, terms: storedTermHashes(scope, record.event) };
  });
  const stored = rows.filter(({ terms }) => terms.length > 0);
  await session.query(storeSql, [
    generation,
    tenantId,
    stored.map(({ epoch }) => epoch),
    stored.map(({ sequence }) => sequence),
    stored.map(({ terms }) => `{${terms.join(',')}}`),
  ]);
}
