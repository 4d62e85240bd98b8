import { type Database, writer } from '../store/database.ts';
import { readSql } from '../store/sql.ts';
import type { CursorSet } from './cursors.ts';

const lagSql = readSql('follower-lag');

/** How far a follower is behind the heads of all chains. */
export interface FollowerLag {
  /** Records that are not read yet, without those of tenants for which it has stopped. */
  readonly records: number;
  /** Age of the oldest of them, seconds; 0 if there is none. */
  readonly seconds: number;
  /** Tenants that it has not read to the head. */
  readonly tenants: number;
  /** Tenants for which it has stopped. */
  readonly stopped: number;
}

export async function readLag(database: Database, { follower, generation }: CursorSet): Promise<FollowerLag> {
  const [row] = await database.query<FollowerLag>(writer, lagSql, [follower, generation]);
  return row!;
}
