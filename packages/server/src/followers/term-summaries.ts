import { type AnyEvent, BlockSummary, termBlockRecords } from '@tallystick/event';
import { readRecord } from '@tallystick/log';
import type { Session } from '../store/database.ts';
import { readRows } from './read-page.ts';

/** Where the rows of summaries are stored, and what they are of. */
export interface SummaryTable {
  readonly summaries: 'audit_field_blocks' | 'audit_search_blocks';
  readonly termsOf: (event: AnyEvent) => string[];
}

interface RecordPlace {
  readonly generation: number;
  readonly tenantId: string;
  readonly epoch: number;
  readonly sequence: number;
}

interface BlockPlace {
  readonly generation: number;
  readonly tenantId: string;
  readonly epoch: number;
  readonly block: number;
}

/** A block whose last record was followed. */
export interface FullBlock extends BlockPlace {
  /** Undefined where its earlier records are not known. */
  readonly summary: BlockSummary | undefined;
}

/** A block of which the first records were followed. */
interface OpenBlock {
  readonly block: number;
  /** The record that comes next. */
  next: number;
  readonly summary: BlockSummary;
}

/** Most hashes of open blocks that are kept, some 40 bytes each. */
const keptHashes = 1 << 20;
/** Records that are read at a time to make a summary. */
const readRecords = 512;

/**
 * Writes the summary of a block with its last record. What was collected since its first record is kept in memory; where that is not all,
 * because another replica followed a part or memory was short, the block is read again.
 */
export class TermSummaries {
  readonly #table: SummaryTable;
  /** By generation, tenant and epoch, the one that was used last at the end. Owned by this object. */
  readonly #open = new Map<string, OpenBlock>();
  /** Hashes of all open blocks. There may be one for each of many tenants, so they are not counted again for each page. */
  #kept = 0;

  constructor(table: SummaryTable) {
    this.#table = table;
  }

  /**
   * Adds a record to the summary of its block. Terms are not kept: with the terms of a whole page in memory, the garbage collector
   * took more time than the rest of this follower (`npm run bench -- followers`).
   *
   * @returns the block, if this is its last record: {@link write} stores its summary
   */
  collect(
    { tenantId, generation, epoch, sequence }: RecordPlace,
    event: AnyEvent,
    terms: readonly string[],
  ): FullBlock | undefined {
    const key = `${generation}\n${tenantId}\n${epoch}`;
    const block = Math.floor(sequence / termBlockRecords);
    const open = this.#openAt(key, { tenantId, epoch, block }, sequence);
    if (open !== undefined) {
      this.#kept -= open.summary.size;
      open.summary.add(event, terms);
      this.#kept += open.summary.size;
      open.next++;
    }
    const isLast = sequence % termBlockRecords === termBlockRecords - 1;
    if (isLast) this.#close(key);
    this.#forget();
    return isLast ? { generation, tenantId, epoch, block, summary: open?.summary } : undefined;
  }

  /** In the transaction that stores the terms. A crash leaves neither the terms nor the summaries. */
  async write(session: Session, blocks: readonly FullBlock[]): Promise<void> {
    for (const { summary, ...place } of blocks) {
      if (summary === undefined) await writeSummary(session, this.#table, place);
      else await insertSummary(session, this.#table, place, summary);
    }
  }

  /** The block that a record continues; undefined where its earlier records are not known. */
  #openAt(
    key: string,
    scope: { readonly tenantId: string; readonly epoch: number; readonly block: number },
    sequence: number,
  ): OpenBlock | undefined {
    const known = this.#open.get(key);
    const continues = known?.block === scope.block && known.next === sequence;
    const begins = sequence % termBlockRecords === 0;
    if (!continues) this.#close(key);
    if (!continues && !begins) return undefined;
    const open = continues ? known : { block: scope.block, next: sequence, summary: new BlockSummary(scope) };
    // To the end of those that were used.
    this.#open.delete(key);
    this.#open.set(key, open);
    return open;
  }

  #close(key: string): void {
    this.#kept -= this.#open.get(key)?.summary.size ?? 0;
    this.#open.delete(key);
  }

  #forget(): void {
    for (const key of this.#open.keys()) {
      if (this.#kept <= keptHashes) break;
      this.#close(key);
    }
  }
}

/** Reads a block of the chain, all of whose records the index has, and writes its summary. */
async function writeSummary(session: Session, table: SummaryTable, place: BlockPlace): Promise<void> {
  const { tenantId, epoch, block } = place;
  const summary = new BlockSummary(place);
  const end = (block + 1) * termBlockRecords - 1;
  for (let next = block * termBlockRecords; next <= end; ) {
    const rows = await readRows(session, tenantId, epoch, next, end, readRecords);
    if (rows.length === 0) break;
    for (const { record } of rows) {
      const { event } = readRecord(record);
      summary.add(event, table.termsOf(event));
    }
    next = rows.at(-1)!.sequence_number + 1;
  }
  await insertSummary(session, table, place, summary);
}

async function insertSummary(
  session: Session,
  { summaries }: SummaryTable,
  { generation, tenantId, epoch, block }: BlockPlace,
  summary: BlockSummary,
): Promise<void> {
  const { oldest, newest, terms } = summary.row();
  // A row that exists already is that of an attempt before the cursor was moved back by hand.
  await session.query(
    `insert into ${summaries} (generation, tenant_id, epoch, block, oldest, newest, terms)
     values ($1::integer, $2, $3::integer, $4::bigint, $5::timestamptz, $6::timestamptz, $7::integer[])
         on conflict (generation, tenant_id, epoch, block)
         do update set oldest = excluded.oldest, newest = excluded.newest, terms = excluded.terms`,
    [generation, tenantId, epoch, block, oldest, newest, `{${terms.join(',')}}`],
  );
}
