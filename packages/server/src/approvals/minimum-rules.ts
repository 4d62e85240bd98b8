import { type ApprovalRules, defaultApprovalRules } from '@tallystick/protocol';
import { approvalRulesRecord } from '../chain/service-records/approval-records.ts';
import type { AppendRanges } from '../ingest/append-ranges.ts';
import { type Database, writer } from '../store/database.ts';
import { storeClock } from './approval-rows.ts';

/** Rules for the actions of one tenant, or with `*` of all tenants, or for all actions. */
export interface RulesEntry {
  readonly tenant_id: string;
  readonly action: string;
  readonly rules: ApprovalRules;
}

/** What the rules need of the service. */
export interface RulesStore {
  readonly database: Database;
  readonly appendRanges: AppendRanges;
  /** Chain of the records about rules for all tenants. */
  readonly serviceTenant: string;
}

/**
 * The minimum rules of an action: of the tenant and the action, else of the tenant, else of the action in all tenants, else of all,
 * else the defaults. The most specific entry replaces the others.
 */
export async function minimumRules(
  database: Database,
  tenantId: string,
  action: string,
): Promise<ApprovalRules> {
  const [row] = await database.query<{ rules: string }>(
    writer,
    `select rules from audit_approval_rules where tenant_id in ($1, '*') and action in ($2, '*')
     order by (tenant_id = '*'), (action = '*') limit 1`,
    [tenantId, action],
  );
  return row === undefined ? defaultApprovalRules : (JSON.parse(row.rules) as ApprovalRules);
}

/** All entries that concern the tenants; every entry where absent. */
export async function listRules(
  database: Database,
  tenants: readonly string[] | undefined,
): Promise<readonly RulesEntry[]> {
  const rows = await database.query<{ tenant_id: string; action: string; rules: string }>(
    writer,
    `select tenant_id, action, rules from audit_approval_rules
     where $1::text[] is null or tenant_id = any($1) or tenant_id = '*' order by tenant_id, action`,
    [tenants === undefined ? null : [...tenants]],
  );
  return rows.map((row) => ({ ...row, rules: JSON.parse(row.rules) as ApprovalRules }));
}

/** Sets or removes an entry. The record of the change is chained in the same transaction. */
export async function changeRules(
  { database, appendRanges, serviceTenant }: RulesStore,
  {
    tenantId,
    action,
    rules,
  }: {
    readonly tenantId: string;
    readonly action: string;
    readonly rules: ApprovalRules | undefined;
  },
  principal: string,
): Promise<void> {
  const now = await storeClock(database);
  const chain = tenantId === '*' ? serviceTenant : tenantId;
  await appendRanges([
    {
      items: [approvalRulesRecord({ tenantId, chain, action, rules }, { now, principal })],
      closeBooks: async (session) => {
        if (rules === undefined) {
          await session.query('delete from audit_approval_rules where tenant_id = $1 and action = $2', [
            tenantId,
            action,
          ]);
          return;
        }
        await session.query(
          `insert into audit_approval_rules (tenant_id, action, rules, updated_by) values ($1, $2, $3, $4)
           on conflict (tenant_id, action)
           do update set rules = excluded.rules, updated_by = excluded.updated_by, updated_at = clock_timestamp()`,
          [tenantId, action, JSON.stringify(rules), principal],
        );
      },
    },
  ]);
}
