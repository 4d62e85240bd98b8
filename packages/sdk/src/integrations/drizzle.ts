/** Connects Drizzle's transactions with an outbox. */
import { type SQLChunk, type SQLWrapper, sql } from 'drizzle-orm';
import type { SqlClient } from './postgres/sql-client.ts';

/** What is used of a transaction of Drizzle, with any of its drivers for PostgreSQL. */
export interface DrizzleTransaction {
  execute(query: SQLWrapper): PromiseLike<unknown>;
  /** A transaction has this method, and a database does not. */
  rollback(): never;
}

/**
 * The connection of a Drizzle transaction, for `recordInTransaction` and the row changes.
 *
 * @example
 * await db.transaction(async (tx) => {
 *   await tx.update(orders).set({ status: 'refunded' }).where(eq(orders.id, 17));
 *   await outbox.recordInTransaction(drizzleClient(tx), event);
 * });
 */
export function drizzleClient(tx: DrizzleTransaction): SqlClient {
  return {
    async query(text, values) {
      const result = await tx.execute(statement(text, values));
      // Some drivers return the rows themselves.
      const rows = Array.isArray(result) ? (result as unknown[]) : (result as { rows: unknown[] }).rows;
      return { rows };
    },
  };
}

/** The statement with each `$n` as a parameter. Only the statements of this package come here: they have no `$` in other places. */
function statement(text: string, values: readonly unknown[]): SQLWrapper {
  const chunks: SQLChunk[] = [];
  let from = 0;
  for (const { index, 0: place, 1: number } of text.matchAll(/\$(\d+)/g)) {
    chunks.push(sql.raw(text.slice(from, index)), sql.param(values[Number(number) - 1]));
    from = index + place.length;
  }
  return sql.join([...chunks, sql.raw(text.slice(from))]);
}
