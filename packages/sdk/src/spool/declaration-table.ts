import type { DatabaseSync } from 'node:sqlite';
import type { DeclaredGap, FinalSequence } from '@tallystick/protocol';
import { gapsPerRead } from './requests.ts';

/** The gaps and final sequence numbers that producers have not declared yet. Called within a transaction of the spool's file. */
export class DeclarationTable {
  readonly #sqlite: DatabaseSync;

  constructor(sqlite: DatabaseSync) {
    this.#sqlite = sqlite;
  }

  /** A producer with something to declare, other than the given one. */
  findProducer(exceptId: string): string | undefined {
    const found = this.#sqlite
      .prepare(
        `select producer_id from (select producer_id from gap union select producer_id from final)
         where producer_id <> ? order by producer_id limit 1`,
      )
      .get(exceptId);
    return (found as { producer_id: string } | undefined)?.producer_id;
  }

  gapsOf(producerId: string): DeclaredGap[] {
    return this.#sqlite
      .prepare(
        `select tenant_id, from_seq as "from", to_seq as "to", reason from gap
         where producer_id = ? order by rowid limit ${gapsPerRead}`,
      )
      .all(producerId) as unknown as DeclaredGap[];
  }

  finalOf(producerId: string): FinalSequence[] {
    return this.#sqlite
      .prepare('select tenant_id, final_seq from final where producer_id = ?')
      .all(producerId) as unknown as FinalSequence[];
  }

  addGaps(producerId: string, gaps: readonly DeclaredGap[]): void {
    const insert = this.#sqlite.prepare('insert into gap values (?, ?, ?, ?, ?)');
    for (const gap of gaps) insert.run(producerId, gap.tenant_id, gap.from, gap.to, gap.reason);
  }

  replaceGaps(producerId: string, gaps: readonly DeclaredGap[]): void {
    this.#sqlite.prepare('delete from gap where producer_id = ?').run(producerId);
    this.addGaps(producerId, gaps);
  }

  removeFirstGaps(producerId: string, count: number): void {
    this.#sqlite
      .prepare(
        'delete from gap where rowid in (select rowid from gap where producer_id = ? order by rowid limit ?)',
      )
      .run(producerId, count);
  }

  addFinal(producerId: string, final: readonly FinalSequence[]): void {
    const insert = this.#sqlite.prepare('insert or replace into final values (?, ?, ?)');
    for (const { tenant_id, final_seq } of final) insert.run(producerId, tenant_id, final_seq);
  }

  removeProducer(producerId: string): void {
    this.#sqlite.prepare('delete from gap where producer_id = ?').run(producerId);
    this.#sqlite.prepare('delete from final where producer_id = ?').run(producerId);
  }
}
