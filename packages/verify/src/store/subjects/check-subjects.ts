import { readRecord } from '@tallystick/log';
import type { Finding, FindingSink } from '../../report.ts';
import { type Query, storedTime } from '../read-store.ts';

/** A block of a subject, as a row or a record has it. */
interface Block {
  /** RFC 3339. */
  readonly at: string;
  readonly by: string;
  readonly reason: string | null;
  /** Position of its record; null for a row. */
  readonly sequence: number | null;
}

type Blocks = ReadonlyMap<string, Block>;

/** How often rows and records are read where they differ: a block can be made between the two. */
const maxReads = 3;
const pageSize = 200;

/**
 * Compares the blocked subjects with the service's records of them, in the chain of the service's tenant. Each block that was edited,
 * removed or inserted with other means than the service's is a finding.
 *
 * @param tenantId tenant of the service's own records
 */
export async function checkSubjects(query: Query, tenantId: string, findings: FindingSink): Promise<void> {
  let found: readonly Finding[] = [];
  for (let reads = 0; reads < maxReads; reads++) {
    found = differences(await readRows(query), await replayBlocks(query, tenantId));
    if (found.length === 0) return;
  }
  for (const finding of found) findings.add(finding);
}

function differences(rows: Blocks, recorded: Blocks): Finding[] {
  const found: Finding[] = [];
  const add = (subject: string, sequence: number | null, what: string) =>
    found.push({ code: 'SUBJECT_MISMATCH', sequence_number: sequence, found: `${subject}: ${what}` });
  for (const [subject, row] of rows) {
    const record = recorded.get(subject);
    if (record === undefined) add(subject, null, 'blocked without a record');
    else if (record.at !== row.at || record.by !== row.by || record.reason !== row.reason)
      add(subject, record.sequence, 'another time, principal or reason');
  }
  for (const [subject, { sequence }] of recorded)
    if (!rows.has(subject)) add(subject, sequence, 'not blocked, and no record ends the block');
  return found;
}

async function readRows(query: Query): Promise<Blocks> {
  // A store of an earlier version has no such table, and no such records.
  const [table] = await query(`select to_regclass('audit_blocked_subjects') is not null as present`, []);
  if (table?.present !== true) return new Map();
  const rows = await query(
    `select subject, ${storedTime('blocked_at')} as at, blocked_by as by, reason from audit_blocked_subjects`,
    [],
  );
  return new Map(
    rows.map(({ subject, at, by, reason }) => [
      String(subject),
      { at: String(at), by: String(by), reason: reason === null ? null : String(reason), sequence: null },
    ]),
  );
}

async function replayBlocks(query: Query, tenantId: string): Promise<Blocks> {
  const blocks = new Map<string, Block>();
  let [epoch, sequence] = [0, -1];
  for (;;) {
    const rows = await query(
      `select r.epoch::text as epoch, r.sequence_number::text as sequence_number, r.record
         from audit_records r
         join audit_chain_ranges g
           on g.tenant_id = r.tenant_id and g.epoch = r.epoch and r.sequence_number between 0 and g.last_sequence
        where r.tenant_id = $1 and r.event_type = any ($2::text[])
          and (r.epoch, r.sequence_number) > ($3::integer, $4::bigint)
        order by r.epoch, r.sequence_number limit ${pageSize}`,
      [tenantId, ['audit.subject_blocked', 'audit.subject_unblocked'], epoch, sequence],
    );
    for (const row of rows) {
      [epoch, sequence] = [Number(row.epoch), Number(row.sequence_number)];
      apply(blocks, String(row.record), sequence);
    }
    if (rows.length < pageSize) return blocks;
  }
}

interface SubjectEvent {
  readonly event_type: string;
  readonly timestamp: string;
  readonly actor_id: string;
  readonly metadata?: { readonly subject?: unknown; readonly reason?: unknown };
}

function apply(blocks: Map<string, Block>, text: string, sequence: number): void {
  let record: ReturnType<typeof readRecord>;
  try {
    record = readRecord(text);
  } catch {
    // Bytes that are not a record are a finding of the chain's check.
    return;
  }
  if (record.ingest.trust !== 'service') return;
  const { event_type, timestamp, actor_id, metadata = {} } = record.event as unknown as SubjectEvent;
  const subject = String(metadata.subject);
  if (event_type === 'audit.subject_unblocked') blocks.delete(subject);
  else if (!blocks.has(subject)) {
    const reason = typeof metadata.reason === 'string' ? metadata.reason : null;
    blocks.set(subject, { at: timestamp, by: actor_id, reason, sequence });
  }
}
