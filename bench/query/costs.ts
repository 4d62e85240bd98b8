import { readFileSync } from 'node:fs';
import pg from 'pg';
import { type Database, writer } from '../../packages/server/src/store/database.ts';

/** What one request costs. All but `ms` depend little on what else the machine does. */
export interface Cost {
  /** As the caller sees it. */
  readonly ms: number;
  /** Processor time of this process and of PostgreSQL together. */
  readonly processorMs: number;
}

/** What requests read, per request. */
export interface Reads {
  /** Blocks of 8 KiB of tables and indexes, in memory or not. */
  readonly blocks: number;
  readonly rows: number;
}

/** Measures requests on a store whose database has one connection. */
export class Meter {
  readonly #database: Database;
  readonly #owner: pg.Client;

  private constructor(database: Database, owner: pg.Client) {
    this.#database = database;
    this.#owner = owner;
  }

  static async open(database: Database, ownerUrl: string): Promise<Meter> {
    const owner = new pg.Client(ownerUrl);
    await owner.connect();
    return new Meter(database, owner);
  }

  async cost(work: () => Promise<unknown>): Promise<Cost> {
    const [backend] = await this.#database.query<{ pid: number }>(writer, 'select pg_backend_pid() as pid');
    const before = { at: performance.now(), own: ownMs(), server: serverMs(backend!.pid) };
    await work();
    const ms = performance.now() - before.at;
    return { ms, processorMs: ownMs() - before.own + serverMs(backend!.pid) - before.server };
  }

  async reads(work: () => Promise<unknown>): Promise<Reads> {
    const before = await this.#counted();
    await work();
    const after = await this.#counted();
    return { blocks: after.blocks - before.blocks, rows: after.rows - before.rows };
  }

  async close(): Promise<void> {
    await this.#owner.end();
  }

  async #counted(): Promise<Reads> {
    await this.#database.query(writer, 'select pg_stat_force_next_flush()');
    const { rows } = await this.#owner.query<{ blocks: string; rows: string }>(
      `select (select sum(heap_blks_hit + heap_blks_read + coalesce(idx_blks_hit + idx_blks_read, 0)
                          + coalesce(toast_blks_hit + toast_blks_read + tidx_blks_hit + tidx_blks_read, 0))
                 from pg_statio_user_tables) as blocks,
              (select sum(seq_tup_read + coalesce(idx_tup_fetch, 0)) from pg_stat_user_tables) as rows`,
    );
    return { blocks: Number(rows[0]!.blocks), rows: Number(rows[0]!.rows) };
  }
}

function ownMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1_000;
}

/** Processor time of a process of this Linux machine; 0 if it is gone. */
function serverMs(pid: number): number {
  try {
    return Number(readFileSync(`/proc/${pid}/schedstat`, 'utf8').split(' ')[0]) / 1e6;
  } catch {
    return 0;
  }
}
