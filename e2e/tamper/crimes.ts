import { formatCheckpoint, type SigningKey, sha256, signNote, toHex } from '@tallystick/log';
import type { Queries } from '@tallystick/server/store';
import type { Report } from '@tallystick/verify';
import { afterAll, beforeAll, describe } from 'vitest';
import { readTexts, rewriteRecords, rewriteTree } from './forger.ts';
import { acme, embeddedTrail, logName, serverTrail, type WrittenTrail } from './trail.ts';

/**
 * Whoever owns the database can change every byte in it. Whatever they change is found, named and located by somebody
 * who holds the log's key, and, where the whole of it was rewritten, by a checkpoint that was kept elsewhere.
 */
export function onEachTrail(
  suite: (trail: () => WrittenTrail) => void,
  { more = [] }: { readonly more?: readonly string[] } = {},
): void {
  describe.each([
    { kind: 'PGlite', open: embeddedTrail },
    { kind: 'PostgreSQL', open: serverTrail },
  ])('on $kind', ({ open }) => {
    let trail: WrittenTrail;
    beforeAll(async () => {
      trail = await open(more);
    }, 120_000);
    afterAll(() => trail?.close());
    suite(() => trail);
  });
}

/** The record in the middle of the chain that the attacker is after. */
export const victim = 137;

export const nothing = async () => {};

/** Each kind of finding with its place, once, sorted but for the telling one. */
export function places(report: Report): string[] {
  const found = report.findings.map(({ code, sequence_number: place }) =>
    place === null ? code : `${code}@${place}`,
  );
  const rank = (place: string) => (/^(RECORD|CHAIN|SEQ)/.test(place) ? 0 : 1);
  return [...new Set(found)].sort((a, b) => rank(a) - rank(b) || (rank(a) === 0 ? 0 : a < b ? -1 : 1));
}

/** What a changed record does to the tree, and so to all that was made of it. */
export const treeOf = (sequence: number) => [
  ...(sequence < 100 ? ['CHECKPOINT_ROOT_MISMATCH@99'] : []),
  'CHECKPOINT_ROOT_MISMATCH@289',
  'HEAD_MISMATCH@299',
  'TILE_MISMATCH@0',
];

export async function set(session: Queries, assignments: string): Promise<void> {
  await session.query(
    `update audit_records set ${assignments} where tenant_id = $1 and sequence_number = $2`,
    [acme, victim],
  );
}

/** Replaces the victim's bytes, and its stored hash with theirs. */
export async function replaceRecord(
  session: Queries,
  change: (text: string) => string,
  assignments = 'epoch = epoch',
): Promise<void> {
  const [row] = await session.query<{ record: string }>(
    'select record from audit_records where tenant_id = $1 and sequence_number = $2',
    [acme, victim],
  );
  const text = change(row!.record);
  if (text === row!.record) throw new Error('nothing was changed');
  await session.query(
    `update audit_records set record = $3, record_hash = decode($4, 'hex'), ${assignments}
      where tenant_id = $1 and sequence_number = $2`,
    [acme, victim, text, toHex(sha256(text))],
  );
}

/** Puts a copy of a row into the partition of the month before. */
export async function double(session: Queries, tenantId: string, sequence: number): Promise<void> {
  await session.query(
    `insert into audit_records
     select (jsonb_populate_record(r, jsonb_build_object('ingested_at', date_trunc('month', ingested_at) - interval '1 day'))).*
       from audit_records r where tenant_id = $1 and sequence_number = $2`,
    [tenantId, sequence],
  );
}

/** What is done to a trail, from the clumsy to the thorough. */
export const crimes = {
  editField: (session: Queries) =>
    session.query(
      `update audit_records
          set record = replace(record, '"outcome_status":"success"', '"outcome_status":"denied"'), outcome_status = 'denied'
        where tenant_id = $1 and sequence_number = $2`,
      [acme, victim],
    ),
  deleteRow: (session: Queries) =>
    session.query('delete from audit_records where tenant_id = $1 and sequence_number = $2', [acme, victim]),
  /** The last ten records are dropped; head, tree and checkpoints are set back to match. */
  cutTail: async (session: Queries) => {
    const records = await readTexts(session, acme);
    await session.query('delete from audit_records where tenant_id = $1 and sequence_number >= $2', [
      acme,
      records.length - 10,
    ]);
    await session.query('delete from audit_checkpoints where tenant_id = $1', [acme]);
    await rewriteTree(session, acme, records.slice(0, -10));
  },
  swapRows: async (session: Queries) => {
    const parked = 2 ** 40;
    for (const [from, to] of [
      [victim, parked],
      [victim + 1, victim],
      [parked, victim + 1],
    ]) {
      await session.query(
        'update audit_records set sequence_number = $3 where tenant_id = $1 and sequence_number = $2',
        [acme, from, to],
      );
    }
  },
  /** Every hash, tile, the head and a checkpoint under the forger's key are made to fit. */
  rewriteChain: (key: SigningKey) => async (session: Queries) => {
    const { size, root } = await rewriteRecords(session, acme, ({ event, sequence_number }) =>
      sequence_number === victim ? { event: { ...event, actor_id: 'somebody-else' } } : {},
    );
    await set(session, "actor_id = 'somebody-else'");
    const origin = `${logName}/${acme}/1`;
    const note = await signNote(formatCheckpoint({ origin, size, root }), [{ name: origin, key }]);
    await session.query('delete from audit_checkpoints where tenant_id = $1', [acme]);
    await session.query(
      "insert into audit_checkpoints (tenant_id, epoch, size, root, note) values ($1, 1, $2, decode($3, 'hex'), $4)",
      [acme, size, toHex(root), note],
    );
  },
};
