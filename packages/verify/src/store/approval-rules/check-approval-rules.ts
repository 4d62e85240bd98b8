import { canonicalize } from '@tallystick/event';
import { readRecord, sha256, toHex } from '@tallystick/log';
import type { FindingSink } from '../../report.ts';
import { type Query, storedTime } from '../read-store.ts';

/** Whose minimum rules are compared with the records. */
export interface ApprovalRulesOptions {
  readonly tenantId: string;
  /** Epoch of the report: findings name only others. */
  readonly epoch: number;
  /**
   * Tenant of the service's own records. Its chain also records the rules for all tenants.
   * @defaultValue 'tallystick'
   */
  readonly serviceTenant?: string | undefined;
}

// Rows and records in one statement: both are of one moment. Operators make the rules, so there are few.
const statement = `
  select tenant_id || ' ' || action as target, null as epoch, null as sequence_number, rules as text, updated_by,
         ${storedTime('updated_at')} as updated_at
    from audit_approval_rules where tenant_id = any ($2::text[])
  union all
  select null, r.epoch::text, r.sequence_number::text, r.record, null, null
    from audit_records r
    join audit_chain_ranges g
      on g.tenant_id = r.tenant_id and g.epoch = r.epoch and r.sequence_number between 0 and g.last_sequence
   where r.tenant_id = $1 and r.event_type in ('audit.approval_rules_changed', 'audit.approval_rules_adopted')`;

/**
 * Compares the minimum rules of approvals with the service's records of their changes in one tenant's chain. Each row that was edited,
 * deleted or inserted with other means than the service's is a finding, and so is a change that was recorded out of turn. The records
 * themselves are checked with the chain.
 */
export async function checkApprovalRules(
  query: Query,
  { tenantId, epoch, serviceTenant = 'tallystick' }: ApprovalRulesOptions,
  findings: FindingSink,
): Promise<void> {
  const isService = tenantId === serviceTenant;
  const rows = await query(statement, [tenantId, isService ? [tenantId, '*'] : [tenantId]]);
  const recorded = new Map<string, Entry>();
  for (const change of changesOf(rows)) replay(recorded, change, report);
  const stored = storedEntries(rows);
  for (const target of new Set([...stored.keys(), ...recorded.keys()]))
    compare(target, stored.get(target), recorded.get(target), report);
  if (!isService) return;
  for (const target of await targetsWithoutChain(query))
    findings.add({
      code: 'APPROVAL_RULES_MISMATCH',
      sequence_number: null,
      found: `${target}: a row that no chain records`,
    });

  function report(place: Place | undefined, expected: string, found: string): void {
    findings.add({
      code: 'APPROVAL_RULES_MISMATCH',
      sequence_number: place?.sequence ?? null,
      ...(place !== undefined && place.epoch !== epoch && { epoch: place.epoch }),
      expected,
      found,
    });
  }
}

type Report = (place: Place | undefined, expected: string, found: string) => void;

interface Place {
  readonly epoch: number;
  readonly sequence: number;
}

/** Rules of one tenant and action, as a row or the records have them. Absent values are not on record. */
interface Entry {
  /** SHA-256 of the canonical JSON, with `sha256:`. Absent: they were removed. */
  readonly rules?: string | undefined;
  readonly updatedBy?: string | undefined;
  readonly updatedAt?: string | undefined;
  /** Number of the change; absent in records of earlier versions. */
  readonly version?: number | undefined;
  readonly place?: Place | undefined;
}

interface Change extends Entry {
  readonly target: string;
  readonly adopted: boolean;
  readonly place: Place;
}

type Row = { readonly [column: string]: unknown };

function storedEntries(rows: readonly Row[]): ReadonlyMap<string, Entry> {
  return new Map(
    rows
      .filter(({ target }) => target !== null)
      .map(({ target, text, updated_by, updated_at }) => [
        String(target),
        {
          rules: digestOf(parsed(String(text))),
          updatedBy: String(updated_by),
          updatedAt: String(updated_at),
        },
      ]),
  );
}

function changesOf(rows: readonly Row[]): Change[] {
  return rows
    .flatMap(({ target, epoch, sequence_number, text }) => {
      if (target !== null) return [];
      const place = { epoch: Number(epoch), sequence: Number(sequence_number) };
      return changeOf(String(text), place) ?? [];
    })
    .sort((a, b) => a.place.epoch - b.place.epoch || a.place.sequence - b.place.sequence);
}

interface RulesEvent {
  readonly event_type: string;
  readonly timestamp: string;
  readonly actor_id: string;
  readonly target_id?: string;
  readonly context?: { readonly rules?: unknown };
  readonly metadata?: {
    readonly version?: number;
    readonly updated_by?: string;
    readonly updated_at?: string;
  };
}

function changeOf(text: string, place: Place): Change | undefined {
  try {
    const { event, ingest } = readRecord(text);
    if (ingest.trust !== 'service') return undefined;
    const {
      event_type,
      timestamp,
      actor_id,
      target_id,
      context,
      metadata = {},
    } = event as unknown as RulesEvent;
    const adopted = event_type === 'audit.approval_rules_adopted';
    return {
      target: String(target_id),
      adopted,
      rules: context?.rules === undefined ? undefined : digestOf(context.rules),
      updatedBy: adopted ? metadata.updated_by : actor_id,
      // Earlier versions dated the row by another clock than the record.
      updatedAt: adopted ? metadata.updated_at : metadata.version === undefined ? undefined : timestamp,
      version: metadata.version,
      place,
    };
  } catch {
    // Bytes that are not a record are a finding of the chain's check.
    return undefined;
  }
}

function replay(recorded: Map<string, Entry>, change: Change, report: Report): void {
  const { target, version, place } = change;
  const before = recorded.get(target);
  if (before?.version !== undefined && !((version ?? 0) > before.version))
    report(place, `${target} version: above ${before.version}`, String(version ?? 'none'));
  // A row of an earlier version was put on record as it was. An edit from before that shows here.
  if (change.adopted && before?.rules !== change.rules)
    report(place, `${target} rules: ${before?.rules ?? 'none'}`, `put on record as ${change.rules}`);
  recorded.set(target, change);
}

function compare(target: string, row: Entry | undefined, recorded: Entry | undefined, report: Report): void {
  if (row === undefined) {
    if (recorded?.rules !== undefined) report(recorded.place, `${target} rules: ${recorded.rules}`, 'no row');
    return;
  }
  if (recorded?.rules === undefined) {
    report(recorded?.place, `${target} rules: none`, 'a row without a record');
    return;
  }
  for (const [column, name] of [
    ['rules', 'rules'],
    ['updated_by', 'updatedBy'],
    ['updated_at', 'updatedAt'],
  ] as const) {
    const expected = recorded[name];
    if (expected !== undefined && expected !== row[name])
      report(recorded.place, `${target} ${column}: ${expected}`, String(row[name]));
  }
}

/** Rows of tenants that have no chain: the verification of no chain compares them. */
async function targetsWithoutChain(query: Query): Promise<readonly string[]> {
  const rows = await query(
    `select a.tenant_id || ' ' || a.action as target from audit_approval_rules a
      where a.tenant_id <> '*' and not exists (select from audit_chain_ranges g where g.tenant_id = a.tenant_id)
      order by a.tenant_id, a.action limit 1000`,
    [],
  );
  return rows.map(({ target }) => String(target));
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function digestOf(rules: unknown): string {
  try {
    return `sha256:${toHex(sha256(new TextEncoder().encode(canonicalize(rules))))}`;
  } catch {
    return 'not canonical JSON';
  }
}
