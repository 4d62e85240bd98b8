import { type SigningKey, sha256, toHex } from '@tallystick/log';
import type { Queries } from '@tallystick/server/store';
import type { Report } from '@tallystick/verify';
import { type Attack, cutTail, deleteRow, editField, rewriteChain, swapRows } from 'tallystick/demo/attacks';
import { afterAll, beforeAll, describe } from 'vitest';
import { acme, embeddedTrail, logName, serverTrail, type WrittenTrail } from './trail.ts';

/**
 * The owner of a database can change every byte in it. A verifier that has the log's key finds, names and locates each change. If the
 * whole chain was rewritten and signed again, the verifier also needs a checkpoint that was kept elsewhere.
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

/** The record in the middle of the chain that the attacker wants to change. */
export const victim = 137;

export const nothing = async () => {};

/** Each kind of finding once, with its place. Findings about records and the chain come first, in the order of the report. */
export function places(report: Report): string[] {
  const found = report.findings.map(({ code, sequence_number: place }) =>
    place === null ? code : `${code}@${place}`,
  );
  const rank = (place: string) => (/^(RECORD|CHAIN|SEQ)/.test(place) ? 0 : 1);
  return [...new Set(found)].sort((a, b) => rank(a) - rank(b) || (rank(a) === 0 ? 0 : a < b ? -1 : 1));
}

/** The findings that follow from a changed record, because its tree is another one. */
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

/** Replaces the bytes of the victim, and its stored hash by the hash of the new bytes. */
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

/** Inserts a copy of a row into the partition of the month before. */
export async function double(session: Queries, tenantId: string, sequence: number): Promise<void> {
  await session.query(
    `insert into audit_records
     select (jsonb_populate_record(r, jsonb_build_object('ingested_at', date_trunc('month', ingested_at) - interval '1 day'))).*
       from audit_records r where tenant_id = $1 and sequence_number = $2`,
    [tenantId, sequence],
  );
}

const target = { tenantId: acme, logName, sequence: victim };
const against =
  ({ run }: Attack) =>
  (session: Queries) =>
    run(session, target);

/** The demo's attacks, against the victim. */
export const crimes = {
  editField: against(editField),
  deleteRow: against(deleteRow),
  cutTail: against(cutTail),
  swapRows: against(swapRows),
  rewriteChain: (key: SigningKey) => against(rewriteChain(async () => key)),
};
