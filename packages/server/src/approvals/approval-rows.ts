import type { Approval, ApprovalState } from '@tallystick/protocol';
import { nextDeadlineOf } from '@tallystick/protocol';
import { type Database, type Queries, writer } from '../store/database.ts';

/** An approval as it is stored. */
export interface StoredApproval {
  readonly approval: Approval;
  /** Number of changes, the request included. */
  readonly version: number;
  /** The store's clock when the row was read, ms since the epoch. */
  readonly now: number;
}

/** The same, as the row has it. A login to the database could have edited it. */
export interface ApprovalRow extends Omit<StoredApproval, 'approval'> {
  /** JSON of the approval. */
  readonly text: string;
}

/** The time by the clock of the store. Replicas may have different clocks; all deadlines are compared with this one. */
export async function storeClock(database: Database): Promise<number> {
  const [row] = await database.query<{ now: Date }>(writer, 'select clock_timestamp() as now');
  return row!.now.getTime();
}

export async function readApproval(
  database: Database,
  tenantId: string,
  id: string,
): Promise<ApprovalRow | undefined> {
  const [row] = await database.query<{ approval: string; version: number; now: Date }>(
    writer,
    'select approval, version, clock_timestamp() as now from audit_approvals where tenant_id = $1 and id = $2',
    [tenantId, id],
  );
  if (row === undefined) return undefined;
  return { text: row.approval, version: Number(row.version), now: row.now.getTime() };
}

/** @returns whether it was stored; false if the id is taken */
export async function insertApproval(session: Queries, approval: Approval): Promise<boolean> {
  const rows = await session.query(
    `insert into audit_approvals (tenant_id, id, state, approval, next_deadline, created_at)
     values ($1, $2, $3, $4, $5::timestamptz, $6::timestamptz) on conflict do nothing returning 1 as one`,
    [
      approval.document.tenant_id,
      approval.id,
      approval.state,
      JSON.stringify(approval),
      deadlineText(approval),
      approval.created_at,
    ],
  );
  return rows.length > 0;
}

/** @returns whether it was stored; false if another change came first */
export async function updateApproval(
  session: Queries,
  approval: Approval,
  version: number,
): Promise<boolean> {
  const rows = await session.query(
    `update audit_approvals set state = $4, approval = $5, next_deadline = $6::timestamptz, version = version + 1
     where tenant_id = $1 and id = $2 and version = $3 returning 1 as one`,
    [
      approval.document.tenant_id,
      approval.id,
      version,
      approval.state,
      JSON.stringify(approval),
      deadlineText(approval),
    ],
  );
  return rows.length > 0;
}

/** An approval whose next deadline has passed. */
export interface DueApproval {
  readonly tenant_id: string;
  readonly id: string;
  /** RFC 3339, with microseconds. */
  readonly next_deadline: string;
}

/** One page of them, the oldest first. */
export async function dueApprovals(
  database: Database,
  limit: number,
  after: DueApproval | undefined,
): Promise<readonly DueApproval[]> {
  return await database.query<DueApproval & { readonly [column: string]: unknown }>(
    writer,
    `select tenant_id, id, to_char(next_deadline at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') as next_deadline
     from audit_approvals
     where next_deadline <= clock_timestamp()
       -- An infinite deadline comes from an edited row only. As the last row of a page it would be no place to go on from.
       and next_deadline > '-infinity'
       and ($2::timestamptz is null or (next_deadline, tenant_id, id) > ($2::timestamptz, $3::text, $4::uuid))
     order by next_deadline, tenant_id, id limit $1`,
    [limit, after?.next_deadline ?? null, after?.tenant_id ?? null, after?.id ?? null],
  );
}

/** Most approvals that one query compares. */
const comparedAtOnce = 1_000;

/**
 * The ids of those that are not simply pending: decided, with a deadline that has passed, or without a row. An id that no approval can have
 * has none, and is no reason not to answer for the others.
 */
export async function changedApprovals(
  database: Database,
  approvals: readonly { readonly tenantId: string; readonly id: string }[],
): Promise<readonly string[]> {
  const changed: string[] = [];
  for (let at = 0; at < approvals.length; at += comparedAtOnce) {
    const some = approvals.slice(at, at + comparedAtOnce);
    const rows = await database.query<{ id: string }>(
      writer,
      `select w.id from unnest($1::text[], $2::text[]) as w(tenant_id, id)
       left join audit_approvals a on a.tenant_id = w.tenant_id
             and a.id = case when w.id ~ '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$' then w.id::uuid end
       where a.id is null or a.state <> 'pending' or a.next_deadline <= clock_timestamp()`,
      [some.map(({ tenantId }) => tenantId), some.map(({ id }) => id)],
    );
    changed.push(...rows.map(({ id }) => id));
  }
  return changed;
}

/** Which approvals a list shows. */
export interface ApprovalListQuery {
  /** Absent: every tenant. */
  readonly tenants: readonly string[] | undefined;
  readonly state?: ApprovalState | undefined;
  readonly limit: number;
  /** The last approval of the page before. */
  readonly after?: { readonly createdAt: string; readonly id: string } | undefined;
}

/** Most bytes of the approvals on a page: a document has up to 64 KiB, and its objects take many times its bytes once it is parsed. */
const maxPageBytes = 1024 * 1024;

/** Newest first. A page has at least one approval, of any size. */
export async function listApprovals(
  database: Database,
  query: ApprovalListQuery,
): Promise<{ readonly approvals: readonly Approval[]; readonly more: boolean }> {
  const { tenants, state, limit, after } = query;
  const rows = await database.query<{ approval: string; available: number }>(
    writer,
    `select approval, available from (
       select p.*, count(*) over () as available,
              sum(octet_length(p.approval)) over (order by p.created_at desc, p.id desc rows unbounded preceding)
                - octet_length(p.approval) as bytes_before
       from (
         select approval, created_at, id from audit_approvals
         where ($1::text[] is null or tenant_id = any($1)) and ($2::text is null or state = $2)
           and ($3::timestamptz is null or (created_at, id) < ($3::timestamptz, $4::uuid))
         order by created_at desc, id desc limit $5::integer
       ) p
     ) q
     where bytes_before < $6::bigint order by created_at desc, id desc`,
    [
      tenants === undefined ? null : [...tenants],
      state ?? null,
      after?.createdAt ?? null,
      after?.id ?? null,
      // One row more than the page: it shows whether there is another page.
      limit + 1,
      maxPageBytes,
    ],
  );
  const page = rows.slice(0, limit);
  return {
    approvals: page.flatMap((row) => parseApproval(row.approval) ?? []),
    more: Number(rows[0]?.available ?? 0) > page.length,
  };
}

/** @returns `undefined` for a row that is not the JSON of an object: somebody has edited it */
export function parseApproval(text: string): Approval | undefined {
  try {
    const approval: unknown = JSON.parse(text);
    return typeof approval === 'object' && approval !== null ? (approval as Approval) : undefined;
  } catch {
    return undefined;
  }
}

function deadlineText(approval: Approval): string | null {
  const deadline = nextDeadlineOf(approval);
  return deadline === undefined ? null : new Date(deadline).toISOString();
}
