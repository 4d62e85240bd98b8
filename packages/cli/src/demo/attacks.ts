import { randomBytes } from 'node:crypto';
import { importSigningKey, type SigningKey } from '@tallystick/log';
import type { Queries } from '@tallystick/server/store';
import { readTexts, replaceCheckpoints, rewriteRecords, rewriteTree } from './forger.ts';

/** What an attacker can do to a trail who has the database password, a debugger and an afternoon. */
export interface Attack {
  readonly name: string;
  readonly story: string;
  /** Runs as the owner of the database, with triggers disabled. */
  readonly run: (session: Queries, target: Target) => Promise<void>;
}

export interface Target {
  readonly tenantId: string;
  readonly logName: string;
  /** A record in the middle of the chain that the attacker wants to change or lose. */
  readonly sequence: number;
}

export const editField: Attack = {
  name: 'edit a field',
  story: 'the result of one decision is turned around, in record and column',
  run: async (session, { tenantId, sequence }) => {
    await session.query(
      `update audit_records
          set record = replace(record, '"outcome_status":"success"', '"outcome_status":"denied"'), outcome_status = 'denied'
        where tenant_id = $1 and sequence_number = $2`,
      [tenantId, sequence],
    );
  },
};

export const deleteRow: Attack = {
  name: 'delete a row',
  story: 'one inconvenient record disappears',
  run: async (session, { tenantId, sequence }) => {
    await session.query('delete from audit_records where tenant_id = $1 and sequence_number = $2', [
      tenantId,
      sequence,
    ]);
  },
};

export const hideRecord: Attack = {
  name: 'hide a record',
  story: 'one record is intact, and the columns and indexes by which lists find it say something else',
  run: async (session, { tenantId, sequence }) => {
    const place = [tenantId, sequence];
    await session.query(
      "update audit_records set event_type = 'nothing.happened', actor_id = 'nobody' where tenant_id = $1 and sequence_number = $2",
      place,
    );
    for (const table of indexTables)
      await session.query(`delete from ${table} where tenant_id = $1 and sequence_number = $2`, place);
  },
};

/** The tables of the indexes by which filters and searches find a record. */
export const indexTables = ['audit_field_terms', 'audit_search_terms'] as const;

export const cutTail: Attack = {
  name: 'cut the tail',
  story: 'the last ten records are dropped; head, tree and checkpoints are set back',
  run: async (session, target) => {
    const records = await readTexts(session, target.tenantId);
    await session.query('delete from audit_records where tenant_id = $1 and sequence_number >= $2', [
      target.tenantId,
      records.length - 10,
    ]);
    await session.query('delete from audit_checkpoints where tenant_id = $1', [target.tenantId]);
    await rewriteTree(session, target.tenantId, records.slice(0, -10));
  },
};

export const swapRows: Attack = {
  name: 'swap two rows',
  story: 'two records trade places, so that the effect comes before its cause',
  run: async (session, { tenantId, sequence }) => {
    const parked = 2 ** 40;
    for (const [from, to] of [
      [sequence, parked],
      [sequence + 1, sequence],
      [parked, sequence + 1],
    ]) {
      await session.query(
        'update audit_records set sequence_number = $3 where tenant_id = $1 and sequence_number = $2',
        [tenantId, from, to],
      );
    }
  },
};

/** @param signingKey what the forged checkpoint is signed with: a new key, or the service's own if it was stolen */
export const rewriteChain = (signingKey: () => Promise<SigningKey>): Attack => ({
  name: 'rewrite the whole chain',
  story: 'one record is changed; hashes, tiles, head and a checkpoint are forged to fit',
  run: async (session, target) => {
    const tree = await rewriteRecords(session, target.tenantId, ({ event, sequence_number }) =>
      sequence_number === target.sequence ? { event: { ...event, actor_id: 'somebody-else' } } : {},
    );
    await session.query(
      "update audit_records set actor_id = 'somebody-else' where tenant_id = $1 and sequence_number = $2",
      [target.tenantId, target.sequence],
    );
    await replaceCheckpoints(session, target, tree, await signingKey());
  },
});

const newKey = () => importSigningKey(randomBytes(32));

/** The attacks that the demo shows, in its order. */
export const attacks: readonly Attack[] = [editField, deleteRow, cutTail, swapRows, rewriteChain(newKey)];
