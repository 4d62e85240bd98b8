import type { Row } from '../database.ts';
import { readSql } from '../sql.ts';
import type { Step } from './messages.ts';

const grownTablesSql = readSql('grown-tables');

/** Transactions that write, between two looks at the sizes of the tables. One append of a batch, and what follows it, are about five. */
const writesBetween = 64;

/** From this size on, it matters which index a plan uses. */
const smallestBytes = 256 * 1024;

/**
 * When to renew the planner's statistics. PGlite has no autovacuum that would. Without statistics the planner takes an index of the tenant's rows
 * for as good as the one that finds a single record: with 30,000 records, each record of a page was found by reading the whole chain, and a
 * search took minutes. Owned by the database.
 */
export class Statistics {
  /** Also due before the first write: a store may have grown in an earlier version. */
  #writes = writesBetween;

  /** Counts a transaction. */
  add(role: 'reader' | 'writer'): void {
    if (role === 'writer') this.#writes++;
  }

  get isDue(): boolean {
    return this.#writes >= writesBetween;
  }

  /**
   * Renews the statistics of the tables that have grown, each in a turn of its own, so that a writer waits for one table at most. A small sample
   * is enough to tell indexes apart: 10 ms instead of 100 for a table of 30,000 records.
   *
   * @param call runs steps as the superuser, when it is their turn
   */
  async renew(call: (steps: readonly Step[]) => Promise<readonly Row[][]>): Promise<void> {
    this.#writes = 0;
    const [grown = []] = await call([{ text: grownTablesSql, values: [smallestBytes] }]);
    for (const { name } of grown)
      await call([
        { script: `set default_statistics_target = 10; analyze ${name}; reset default_statistics_target` },
      ]);
  }
}
