import { type Database, type Queries, writer } from '../store/database.ts';
import type { Follower } from './follower.ts';

/** What operators have decided about a follower, as stored. */
export interface FollowerControl {
  readonly name: string;
  /** The generation that readers use. */
  readonly generation: number;
  /** The generation that a reset is filling beside it. */
  readonly building: number | undefined;
  /** Whether the generation in use waits for the one that is built. */
  readonly holding: boolean;
  readonly paused: boolean;
}

interface ControlRow {
  readonly name: string;
  readonly generation: number;
  readonly building: number | null;
  readonly holding: boolean;
  readonly paused: boolean;
}

const readSql =
  'select name, generation, building, holding, paused_at is not null as paused from audit_followers';

/** Makes the rows of followers that are new in this version. */
export async function registerFollowers(database: Database, followers: readonly Follower[]): Promise<void> {
  await database.query(
    writer,
    `insert into audit_followers (name, effect) select * from unnest($1::text[], $2::text[]) on conflict do nothing`,
    [followers.map(({ name }) => name), followers.map(({ effect }) => effect)],
  );
}

export async function readControls(session: Queries): Promise<ReadonlyMap<string, FollowerControl>> {
  const rows = await session.query<ControlRow>(readSql);
  return new Map(rows.map((row) => [row.name, { ...row, building: row.building ?? undefined }]));
}

/** The generations that a follower works on now. */
export function activeGenerations({ generation, building, holding, paused }: FollowerControl): number[] {
  if (paused) return [];
  return [...(holding ? [] : [generation]), ...(building === undefined ? [] : [building])];
}
