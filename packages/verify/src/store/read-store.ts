import { eventFields } from '@tallystick/event';
import { FrontierBuilder, fromHex, tileWidth } from '@tallystick/log';
import type { StoredRow } from './columns.ts';

/** Runs one read-only statement with `$1`-style parameters and returns its rows as objects. */
export type Query = (
  sql: string,
  parameters: readonly unknown[],
) => Promise<readonly { readonly [column: string]: unknown }[]>;

/** Rows read at a time. */
const pageSize = 1_000;

/**
 * A time as RFC 3339 text with milliseconds, as in records. It shows microseconds where a column has any, so that such a
 * change is found. An infinite time is shown too: `to_char` would make it look absent.
 */
export const storedTime = (column: string) =>
  `case when isfinite(${column})
        then regexp_replace(to_char(${column} at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US'), '000$', '') || 'Z'
        else ${column}::text end`;

/** The indexed columns, as texts that can be compared with what the record says. */
const indexedSql = eventFields
  .map(({ name, column }) => {
    if (column === 'timestamptz') return `${storedTime(`"${name}"`)} as "${name}"`;
    return column === 'uuid' ? `${name}::text as ${name}` : name;
  })
  .join(', ');

const pageSql = `
  select sequence_number::text as sequence_number, ${storedTime('ingested_at')} as ingested_at, ${indexedSql},
         encode(previous_hash, 'hex') as previous_hash, encode(record_hash, 'hex') as record_hash, record
    from audit_records r
   where tenant_id = $1 and epoch = $2 and r.sequence_number > $3
   order by r.sequence_number
   limit ${pageSize}`;

const tiesSql = `
  select count(*)::int as rows from audit_records where tenant_id = $1 and epoch = $2 and sequence_number = $3`;

/** Every record of a chain, in the order of their positions. */
export async function* readRecords(query: Query, tenantId: string, epoch: number): AsyncGenerator<StoredRow> {
  let after = -(2 ** 53);
  for (;;) {
    const rows = (await query(pageSql, [tenantId, epoch, after])).map(toRow);
    const last = rows.at(-1);
    if (last === undefined) return;
    if (rows.length === pageSize) {
      // A tampered store may have a position twice, in two partitions. The page must not end between the two rows.
      const [count] = await query(tiesSql, [tenantId, epoch, last.sequence_number]);
      const seen = rows.filter((row) => row.sequence_number === last.sequence_number).length;
      if (Number(count!.rows) > seen) {
        const whole = rows.filter((row) => row.sequence_number < last.sequence_number);
        if (whole.length > 0) {
          yield* whole;
          after = whole.at(-1)!.sequence_number;
          continue;
        }
      }
    }
    yield* rows;
    after = last.sequence_number;
  }
}

function toRow(row: { readonly [column: string]: unknown }): StoredRow {
  return { ...row, sequence_number: Number(row.sequence_number) } as unknown as StoredRow;
}

/** The newest position of a chain, as the store keeps it beside the records. */
export interface StoredHead {
  readonly epoch: number;
  readonly last_sequence: number;
  readonly last_hash: string;
  /** RFC 3339; with microseconds where the column has any. */
  readonly last_ingested_at: string;
  readonly frontier: Uint8Array;
}

/** The head of a tenant's chain as its row says; `undefined` if there is none, or if the tenant has no record yet. */
export async function readStoredHead(query: Query, tenantId: string): Promise<StoredHead | undefined> {
  const [row] = await query(
    `select epoch, last_sequence::text as last_sequence, encode(last_hash, 'hex') as last_hash,
            ${storedTime('last_ingested_at')} as last_ingested_at, encode(frontier, 'hex') as frontier
       from audit_chain_state where tenant_id = $1`,
    [tenantId],
  );
  // Below 0: the row exists and the tenant has no record yet. The caller finds records without a head.
  if (row === undefined || Number(row.last_sequence) < 0) return undefined;
  return {
    epoch: Number(row.epoch),
    last_sequence: Number(row.last_sequence),
    last_hash: String(row.last_hash),
    last_ingested_at: String(row.last_ingested_at),
    frontier: fromHex(String(row.frontier))!,
  };
}

/** A row of `audit_checkpoints`. */
export interface StoredCheckpoint {
  readonly size: number;
  /** Hex. */
  readonly root: string;
  readonly note: string;
}

export async function readCheckpoints(
  query: Query,
  tenantId: string,
  epoch: number,
): Promise<StoredCheckpoint[]> {
  const rows = await query(
    `select size::text as size, encode(root, 'hex') as root, note from audit_checkpoints
      where tenant_id = $1 and epoch = $2 order by audit_checkpoints.size`,
    [tenantId, epoch],
  );
  return rows.map((row) => ({ size: Number(row.size), root: String(row.root), note: String(row.note) }));
}

export interface StoredTile {
  readonly level: number;
  readonly index: number;
  readonly root: Uint8Array;
  /** Root of the stored hashes; zeros where there are not 256 of them. */
  readonly rootOfHashes: Uint8Array;
}

/** A log, and the positions of its records that a check reads. */
export interface TilesOf {
  readonly tenantId: string;
  readonly epoch: number;
  /** Only tiles whose records all lie within these positions. @defaultValue all tiles */
  readonly within?: { readonly from: number; readonly to: number } | undefined;
}

/** The full tiles of a log. A page of a hundred tiles has 800 KiB. */
export async function* readTiles(
  query: Query,
  { tenantId, epoch, within }: TilesOf,
): AsyncGenerator<StoredTile> {
  let after: readonly [number, number] = [-(2 ** 31), -1];
  for (;;) {
    const rows = await query(
      `select level, index::text as index, encode(root, 'hex') as root, encode(hashes, 'hex') as hashes
         from audit_tiles t
        where tenant_id = $1 and epoch = $2 and (t.level, t.index) > ($3::int, $4::bigint)
          and ($5::bigint is null or (t.level between 0 and 6
               and t.index between div($5::numeric + (256::numeric ^ (t.level + 1)) - 1, 256::numeric ^ (t.level + 1))
                               and div($6::numeric + 1, 256::numeric ^ (t.level + 1)) - 1))
        order by t.level, t.index limit 100`,
      [tenantId, epoch, ...after, within?.from ?? null, within?.to ?? null],
    );
    if (rows.length === 0) return;
    for (const row of rows) {
      const hashes = fromHex(String(row.hashes))!;
      yield {
        level: Number(row.level),
        index: Number(row.index),
        root: fromHex(String(row.root))!,
        rootOfHashes: hashes.length === tileWidth * 32 ? rootOf(hashes) : new Uint8Array(32),
      };
    }
    after = [Number(rows.at(-1)!.level), Number(rows.at(-1)!.index)];
  }
}

function rootOf(hashes: Uint8Array): Uint8Array {
  const builder = new FrontierBuilder();
  for (let at = 0; at < hashes.length; at += 32) builder.append(hashes.subarray(at, at + 32));
  return builder.root();
}
