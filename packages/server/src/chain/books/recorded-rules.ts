import { canonicalize } from '@tallystick/event';
import { readRecord } from '@tallystick/log';
import type { ApprovalRules } from '@tallystick/protocol';
import { storedTime } from '@tallystick/verify';
import type { Queries } from '../../store/database.ts';
import {
  type RulesKey,
  rulesChain,
  rulesRecordId,
  rulesTarget,
  rulesTypes,
} from '../service-records/rules-records.ts';

/** What is needed to tell the records of the service from those that a database login could write. */
export interface RulesRecords {
  /** Chain of the records about rules for all tenants. */
  readonly serviceTenant: string;
  /** See `withOwnId`. */
  readonly recordIdSecret?: Uint8Array | undefined;
}

/** An entry of minimum rules: its row, and what its records say. */
export interface RulesState extends RulesKey {
  readonly row?: StoredRules | undefined;
  /** Number of changes on record. 0: the entry has none, or only those of an earlier version. */
  readonly version: number;
  /** Rules after the last change on record. Absent: the entry was removed, or never set. */
  readonly recorded?: ApprovalRules | undefined;
  /** The same, by the records of an earlier version, whose ids a database login could choose. */
  readonly earlier?: ApprovalRules | undefined;
}

/** A row of `audit_approval_rules`. */
export interface StoredRules {
  /** JSON text, whatever an attacker made of it. */
  readonly rules: string;
  readonly updatedBy: string;
  /** RFC 3339; with microseconds where the column has any. */
  readonly updatedAt: string;
}

// One statement sees one snapshot: a change that commits meanwhile is seen in both, or in none.
const stateSql = `
  select tenant_id, action, null as chain, null::integer as epoch, rules as text, updated_by,
         ${storedTime('updated_at')} as updated_at
    from audit_approval_rules where tenant_id || ' ' || action = any ($1::text[])
  union all
  select null, null, r.tenant_id, r.epoch, r.record, null, null
    from audit_records r
    join audit_chain_ranges g
      on g.tenant_id = r.tenant_id and g.epoch = r.epoch and r.sequence_number between 0 and g.last_sequence
   where r.tenant_id = any ($2::text[]) and r.target_id = any ($1::text[]) and r.event_type = any ($3::text[])`;

/** Reads entries of minimum rules, and what the records of the service say of them. */
export async function readRulesStates(
  queries: Queries,
  keys: readonly RulesKey[],
  { serviceTenant, recordIdSecret }: RulesRecords,
): Promise<readonly RulesState[]> {
  const chains = new Set(keys.map((key) => rulesChain(key, serviceTenant)));
  const rows = await queries.query<StateRow>(stateSql, [keys.map(rulesTarget), [...chains], rulesTypes]);
  const changes = rows.flatMap((row) => changeOf(row) ?? []);
  return keys.map((key) => {
    const [row] = rows.filter(({ tenant_id, action }) => tenant_id === key.tenantId && action === key.action);
    const chain = rulesChain(key, serviceTenant);
    const ofKey = changes.filter((change) => change.chain === chain && change.target === rulesTarget(key));
    const own = ofKey.filter(
      ({ version, id }) =>
        version !== undefined && id === rulesRecordId({ ...key, chain, version }, recordIdSecret),
    );
    const last = newest(own, ({ version }) => [version!]);
    const earlier = newest(
      ofKey.filter(({ version }) => version === undefined),
      ({ place }) => place,
    );
    return {
      ...key,
      version: last?.version ?? 0,
      ...(row !== undefined && {
        row: { rules: row.text, updatedBy: row.updated_by!, updatedAt: row.updated_at! },
      }),
      ...(last?.rules !== undefined && { recorded: last.rules }),
      ...(earlier?.rules !== undefined && { earlier: earlier.rules }),
    };
  });
}

/** Whether a row has these rules. An attacker controls its text. */
export function hasRules(row: StoredRules | undefined, rules: ApprovalRules | undefined): boolean {
  if (row === undefined || rules === undefined) return row === undefined && rules === undefined;
  try {
    return canonicalize(JSON.parse(row.rules)) === canonicalize(rules);
  } catch {
    return false;
  }
}

interface StateRow {
  readonly tenant_id: string | null;
  readonly action: string | null;
  /** Tenant of the chain of a record; null for a row. */
  readonly chain: string | null;
  readonly epoch: number | null;
  /** The rules of a row, or a record. */
  readonly text: string;
  readonly updated_by: string | null;
  readonly updated_at: string | null;
}

interface RecordedChange {
  readonly chain: string;
  readonly id: string;
  readonly target: string;
  readonly version?: number | undefined;
  readonly rules?: ApprovalRules | undefined;
  /** Epoch and position. */
  readonly place: readonly [epoch: number, sequence: number];
}

function changeOf({ chain, epoch, text }: StateRow): RecordedChange | undefined {
  if (chain === null) return undefined;
  try {
    const { event, ingest, sequence_number } = readRecord(text);
    if (ingest.trust !== 'service') return undefined;
    const { audit_id, target_id, context, metadata } = event as unknown as RulesEvent;
    return {
      chain,
      id: audit_id,
      target: target_id,
      version: metadata?.version,
      rules: context?.rules,
      place: [epoch!, sequence_number],
    };
  } catch {
    // Bytes that are not a record say nothing. They are a finding of the chain's check.
    return undefined;
  }
}

interface RulesEvent {
  readonly audit_id: string;
  readonly target_id: string;
  readonly context?: { readonly rules?: ApprovalRules };
  readonly metadata?: { readonly version?: number };
}

function newest(
  changes: readonly RecordedChange[],
  place: (change: RecordedChange) => readonly number[],
): RecordedChange | undefined {
  return changes.toSorted((a, b) => compare(place(b), place(a)))[0];
}

function compare(one: readonly number[], other: readonly number[]): number {
  const at = one.findIndex((value, index) => value !== other[index]);
  return at < 0 ? 0 : one[at]! - other[at]!;
}
