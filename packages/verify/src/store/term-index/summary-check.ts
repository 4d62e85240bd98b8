import { type AnyEvent, BlockSummary, termBlockRecords } from '@tallystick/event';
import { readRecord } from '@tallystick/log';
import type { Query } from '../read-store.ts';

/** The summaries of an index of terms. */
export interface Summaries {
  readonly follower: string;
  readonly summaries: string;
  readonly termsOf: (event: AnyEvent) => string[];
}

interface CheckedBlock {
  readonly block: number;
  readonly summary: BlockSummary;
  /** The row of the block. */
  readonly stored: { readonly [column: string]: unknown };
  /** The record that comes next. */
  next: number;
}

/** Records that are read at a time. */
const pageRecords = 500;

/**
 * Compares the summaries of one epoch with the records. A summary that lacks a term hides all records of its block from searches. A block without a
 * summary is none of its findings: it is searched record by record.
 */
export class SummaryCheck {
  readonly #query: Query;
  readonly #of: Summaries;
  readonly #tenantId: string;
  readonly #epoch: number;
  readonly #report: (block: number, found: string) => void;
  /** The block of the last record; a number where it has no summary, or where a record can't be read. */
  #at: CheckedBlock | number | undefined;

  /** @param report a difference, with the block */
  constructor(
    query: Query,
    of: Summaries,
    { tenantId, epoch }: { readonly tenantId: string; readonly epoch: number },
    report: (block: number, found: string) => void,
  ) {
    this.#query = query;
    this.#of = of;
    this.#tenantId = tenantId;
    this.#epoch = epoch;
    this.#report = report;
  }

  /** The records of a range, in order. What the block of the first one has before it, and that of the last one after it, is read too. */
  async add(sequence: number, record: string): Promise<void> {
    const block = Math.floor(sequence / termBlockRecords);
    if (this.#block !== block) {
      await this.finish();
      await this.#begin(block, sequence);
    }
    this.#take(sequence, record);
  }

  async finish(): Promise<void> {
    if (typeof this.#at !== 'object') return;
    const { block, next } = this.#at;
    await this.#read(next, (block + 1) * termBlockRecords - 1);
    const at = this.#at;
    this.#at = block;
    if (typeof at !== 'object') return;
    const { oldest, newest, terms } = at.summary.row();
    const { stored } = at;
    if (stored.isFull !== true) this.#report(block, 'a summary of records that the index does not have');
    else if (stored.terms !== `{${terms.join(',')}}`)
      this.#report(block, 'a summary with other terms than those of its records');
    else if (!isTime(stored.oldest, oldest) || !isTime(stored.newest, newest))
      this.#report(block, 'a summary with other times than those of its records');
  }

  get #block(): number | undefined {
    return typeof this.#at === 'object' ? this.#at.block : this.#at;
  }

  async #begin(block: number, sequence: number): Promise<void> {
    const [stored] = await this.#query(rowSql(this.#of), [this.#tenantId, this.#epoch, block]);
    this.#at = block;
    if (stored === undefined) return;
    const first = block * termBlockRecords;
    const scope = { tenantId: this.#tenantId, epoch: this.#epoch, block };
    this.#at = { block, summary: new BlockSummary(scope), stored, next: first };
    await this.#read(first, sequence - 1);
  }

  async #read(first: number, last: number): Promise<void> {
    for (let next = first; next <= last; ) {
      const end = Math.min(last, next + pageRecords - 1);
      const rows = await this.#query(recordsSql, [this.#tenantId, this.#epoch, next, end]);
      for (const row of rows) this.#take(Number(row.sequence_number), String(row.record));
      next = end + 1;
    }
  }

  #take(sequence: number, record: string): void {
    if (typeof this.#at !== 'object') return;
    try {
      const { event } = readRecord(record);
      this.#at.summary.add(event, this.#of.termsOf(event));
      this.#at.next = sequence + 1;
    } catch {
      // Bytes that are not a record are a finding of the chain's check.
      this.#at = this.#at.block;
    }
  }
}

function isTime(stored: unknown, expected: string): boolean {
  return expected.endsWith('infinity')
    ? stored === expected
    : Date.parse(String(stored)) === Date.parse(expected);
}

const recordsSql = `
  select r.sequence_number::text as sequence_number, r.record from audit_records r
   where r.tenant_id = $1 and r.epoch = $2::integer and r.sequence_number between $3::bigint and $4::bigint
   order by r.sequence_number`;

function rowSql({ follower, summaries }: Summaries): string {
  return `
  select s.terms::text as terms, ${timeSql('s.oldest')} as oldest, ${timeSql('s.newest')} as newest,
         coalesce((c.epoch, c.sequence_number) >= (s.epoch, (s.block + 1) * ${termBlockRecords} - 1), false) as "isFull"
    from audit_followers f
    join ${summaries} s on s.generation = f.generation and s.tenant_id = $1 and s.epoch = $2::integer and s.block = $3::bigint
    left join audit_follower_cursors c on c.follower = f.name and c.generation = f.generation and c.tenant_id = $1
   where f.name = '${follower}'`;
}

function timeSql(column: string): string {
  return `case when isfinite(${column}) then to_char(${column} at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') else ${column}::text end`;
}
