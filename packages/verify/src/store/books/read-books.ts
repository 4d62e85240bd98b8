import { keyDigest, type LetterFacts, letterDigest } from '@tallystick/log';
import { type Query, storedTime } from '../read-store.ts';

/** Rows read at a time. */
const pageSize = 500;

/** A dead letter as its table has it. Digests are SHA-256, hex. */
export interface LetterState {
  readonly id: string;
  readonly reason: string;
  /** Of the stored bytes; those of a purged dead letter are erased. */
  readonly raw: string;
  /** Of the facts beside the bytes. */
  readonly about: string;
  readonly state: string;
  readonly settledBy: string | null;
}

/** An API key as its table has it. */
export interface KeyState {
  readonly id: string;
  readonly about: string;
  /** RFC 3339; null for a key that is not revoked. */
  readonly revokedAt: string | null;
}

/**
 * Which rows to read:
 *
 * - those that the chain of a tenant has the records of;
 * - `unrecorded`: those that no chain has put on record yet;
 * - `unclaimed`: these, and those that name a chain that does not exist. The verification of no chain compares them.
 */
export type RowsOf = { readonly chain: string } | 'unrecorded' | 'unclaimed';

const letterColumns = `
  d.id::text as id, d.tenant_id, d.audit_id, d.source, d.principal, d.producer_id::text as producer_id,
  d.producer_seq::text as producer_seq, d.reason, d.pointer, d.message, d.state, d.settled_by,
  encode(sha256(d.raw), 'hex') as raw`;

const keyColumns = `
  d.id, d.name, encode(sha256(d.secret_hash), 'hex') as secret_sha256, to_json(d.scopes)::text as scopes,
  to_json(d.tenants)::text as tenants, ${storedTime('d.created_at')} as created_at,
  ${storedTime('d.expires_at')} as expires_at, ${storedTime('d.revoked_at')} as revoked_at,
  to_jsonb(d) ->> 'subject' as subject`;

/** Dead letters of the table, in the order of their ids. */
export async function* readLetters(query: Query, of: RowsOf): AsyncGenerator<LetterState> {
  for await (const row of readRows(query, 'audit_dead_letters', letterColumns, of)) yield letterState(row);
}

/** API keys of the table, in the order of their ids. */
export async function* readKeys(query: Query, of: RowsOf): AsyncGenerator<KeyState> {
  for await (const row of readRows(query, 'audit_api_keys', keyColumns, of)) yield keyState(row);
}

async function* readRows(query: Query, table: string, columns: string, of: RowsOf): AsyncGenerator<Row> {
  const condition = typeof of === 'string' ? conditions[of] : 'd.chain = $1';
  const chain = typeof of === 'string' ? null : of.chain;
  let after = '';
  for (;;) {
    const rows = await query(
      `select ${columns} from ${table} d
        where ($1::text is null or true) and ${condition} and d.id::text > $2 order by d.id::text limit ${pageSize}`,
      [chain, after],
    );
    yield* rows;
    if (rows.length < pageSize) return;
    after = String(rows.at(-1)!.id);
  }
}

const conditions = {
  unrecorded: 'd.chain is null',
  unclaimed: `(d.chain is null or not exists (
    select from audit_chain_state s where s.tenant_id = d.chain and s.last_sequence >= 0))`,
};

type Row = { readonly [column: string]: unknown };

function letterState(row: Row): LetterState {
  const facts = { ...row, producer_seq: row.producer_seq === null ? null : Number(row.producer_seq) };
  return {
    id: String(row.id),
    reason: String(row.reason),
    raw: String(row.raw),
    about: letterDigest(facts as unknown as LetterFacts),
    state: String(row.state),
    settledBy: row.settled_by === null ? null : String(row.settled_by),
  };
}

function keyState(row: Row): KeyState {
  const about = keyDigest({
    id: String(row.id),
    name: String(row.name),
    secret_sha256: String(row.secret_sha256),
    scopes: JSON.parse(String(row.scopes)) as string[],
    tenants: row.tenants === null ? null : (JSON.parse(String(row.tenants)) as string[]),
    created_at: String(row.created_at),
    expires_at: row.expires_at === null ? null : String(row.expires_at),
    // Read as a member of the row: a store of an earlier version has no such column.
    subject: typeof row.subject === 'string' ? row.subject : null,
  });
  return { id: String(row.id), about, revokedAt: row.revoked_at === null ? null : String(row.revoked_at) };
}
