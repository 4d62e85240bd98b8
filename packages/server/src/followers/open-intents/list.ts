import { tenantIdPattern, uuidPattern } from '@tallystick/event';
import type { OpenIntent, OpenIntentPage, OpenIntentState } from '@tallystick/protocol';
import * as z from 'zod';
import { type Database, writer } from '../../store/database.ts';
import { readSql } from '../../store/sql.ts';
import { timeText } from '../../store/time-text.ts';
import { decodeCursor, encodeCursor } from '../../trail/cursor.ts';

const listSql = readSql('list-open-intents');
const behindSql = readSql('open-intents-behind');
const countSql = readSql('count-open-intents');

/** Most rows that are read for one page. A page that reaches it ends there, and says so, and where the next one begins. */
const maxScanned = 10_000;
/** Of how many tenants a page reads rows. They share {@link maxScanned}. */
const maxTenants = 100;

/** Which open intents to list. */
export interface OpenIntentQuery {
  /** Of these tenants; of all where absent. */
  readonly tenants: readonly string[] | undefined;
  readonly state?: OpenIntentState | undefined;
  readonly actorId?: string | undefined;
  readonly action?: string | undefined;
  /** Only those whose record was chained at least so many seconds ago. */
  readonly minAgeSeconds?: number | undefined;
  /** Whether the caller may see sensitive records. The others get a list without them. */
  readonly sensitive: boolean;
  readonly limit: number;
  readonly cursor?: string | undefined;
}

interface Row extends Omit<OpenIntent, 'ingested_at' | 'deadline'> {
  readonly ingested_at: Date;
  readonly deadline: Date;
  readonly matches: boolean;
  /** The last row that was read, where the list goes on after it. */
  readonly is_end: boolean;
  readonly deadline_us: number;
}

/** Deadline in microseconds, intent and tenant of the last row that was read. */
const place = z.tuple([
  z.int().min(0),
  z.string().regex(uuidPattern),
  z.union([z.string().regex(tenantIdPattern), z.literal('')]),
]);
const beforeFirst: z.output<typeof place> = [0, '00000000-0000-0000-0000-000000000000', ''];

/**
 * A page of open intents. A page may have fewer rows than `limit` and still have a cursor for the next one.
 *
 * @throws {ServerError} `PARAMETER_INVALID` for a cursor of another list
 */
export async function listOpenIntents(
  database: Database,
  { cursor, limit, tenants, ...filters }: OpenIntentQuery,
  budget = { rows: maxScanned, tenants: maxTenants },
): Promise<OpenIntentPage> {
  const list = { list: 'open-intents', tenants, ...filters };
  const after = cursor === undefined ? beforeFirst : decodeCursor(cursor, list, place);
  const { state, actorId, action, minAgeSeconds, sensitive } = filters;
  const someTenants = tenants === undefined ? null : [...tenants];
  // Before the rows: a record that the follower reads meanwhile is counted as unread, and not the other way round.
  const [behind] = await database.query<{ seconds: number }>(writer, behindSql, [someTenants]);
  const rows = await database.query<Row>(writer, listSql, [
    someTenants,
    ...after,
    state ?? null,
    actorId ?? null,
    action ?? null,
    minAgeSeconds ?? null,
    sensitive,
    limit,
    budget.rows,
    budget.tenants,
  ]);
  const matching = rows.filter(({ matches }) => matches);
  const shown = matching.slice(0, limit);
  const end = rows.find(({ is_end }) => is_end);
  const last = matching.length > limit ? shown.at(-1) : end;
  return {
    open_intents: shown.map(toOpenIntent),
    complete: shown.length === limit || end === undefined,
    behind_seconds: behind!.seconds,
    ...(last !== undefined && {
      next_cursor: encodeCursor(list, [last.deadline_us, last.intent_id, last.tenant_id]),
    }),
  };
}

/** How many actions the service has put on record as incomplete, of all tenants. */
export async function countOpenIntents(
  database: Database,
): Promise<{ readonly unresolved: number; readonly unexplained: number }> {
  const [row] = await database.query<{ unresolved: number; unexplained: number }>(writer, countSql);
  return row!;
}

function toOpenIntent({ matches: _, is_end: __, deadline_us: ___, ...row }: Row): OpenIntent {
  const isOfIntent = row.state === 'open' || row.state === 'unresolved';
  return {
    ...row,
    ingested_at: timeText(row.ingested_at),
    deadline: isOfIntent ? timeText(row.deadline) : null,
  };
}
