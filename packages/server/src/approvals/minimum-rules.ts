import { type ApprovalRules, defaultApprovalRules } from '@tallystick/protocol';
import { hasRules, type RulesRecords, readRulesStates } from '../chain/books/recorded-rules.ts';
import { type RulesKey, rulesChain, rulesChangedRecord } from '../chain/service-records/rules-records.ts';
import { ServerError } from '../errors.ts';
import type { AppendRanges } from '../ingest/append-ranges.ts';
import { type Database, type Queries, type Session, writer } from '../store/database.ts';
import { storeClock } from './approval-rows.ts';

/** Rules for the actions of one tenant, or with `*` of all tenants, or for all actions. */
export interface RulesEntry {
  readonly tenant_id: string;
  readonly action: string;
  readonly rules: ApprovalRules;
}

/** What reading the rules needs of the service. */
export interface RulesSource extends RulesRecords {
  readonly database: Database;
}

/** What changing the rules needs of the service. */
export interface RulesStore extends RulesSource {
  readonly appendRanges: AppendRanges;
}

/** How often a change is tried again. Each time, another change of the same entry has succeeded. */
const maxAttempts = 20;

/**
 * The minimum rules of an action: of the tenant and the action, else of the tenant, else of the action in all tenants, else of all,
 * else the defaults. The most specific entry replaces the others.
 *
 * A login to the database can edit the rows. It can't make the record of a change, whose id needs a secret of the signer's directory.
 * So rules are used only if the rows of all four entries, or their absence, are what the last records say.
 *
 * @throws {ServerError} `APPROVAL_RULES_MISMATCH`
 */
export async function minimumRules(
  source: RulesSource,
  tenantId: string,
  action: string,
): Promise<ApprovalRules> {
  const keys = [
    { tenantId, action },
    { tenantId, action: '*' },
    { tenantId: '*', action },
    { tenantId: '*', action: '*' },
  ];
  const states = await readRulesStates(queriesOf(source.database), keys, source);
  const edited = states.find(({ row, recorded }) => !hasRules(row, recorded));
  if (edited !== undefined) throw rulesMismatch(edited);
  return states.find(({ recorded }) => recorded !== undefined)?.recorded ?? defaultApprovalRules;
}

/** All entries that concern the tenants; every entry where absent. The rows are not compared with their records. */
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

/**
 * Sets or removes an entry, whatever its row is. The record of the change is chained in the same transaction: a crash leaves both or
 * neither.
 *
 * @param change `rules` is absent to remove the entry
 */
export async function changeRules(
  store: RulesStore,
  { rules, ...key }: RulesKey & { readonly rules: ApprovalRules | undefined },
  principal: string,
): Promise<void> {
  const { database, appendRanges, serviceTenant } = store;
  const chain = rulesChain(key, serviceTenant);
  for (let attempt = 0; attempt < maxAttempts; attempt++) {
    const [state] = await readRulesStates(queriesOf(database), [key], store);
    const now = await storeClock(database);
    const record = rulesChangedRecord({ ...key, chain, version: state!.version + 1 }, rules, {
      now,
      principal,
    });
    try {
      await appendRanges([
        {
          items: [record],
          closeBooks: async (session, [outcome]) => {
            if (outcome?.status !== 'chained') throw new Overtaken();
            await storeRules(session, key, rules, { at: record.event.timestamp, by: principal });
          },
        },
      ]);
      return;
    } catch (error) {
      if (!(error instanceof Overtaken)) throw error;
    }
  }
  throw new ServerError('STORE_UNAVAILABLE', 'other changes of these rules came first again and again');
}

/** Another replica has made a change with this number. */
class Overtaken extends Error {}

async function storeRules(
  session: Session,
  { tenantId, action }: RulesKey,
  rules: ApprovalRules | undefined,
  { at, by }: { readonly at: string; readonly by: string },
): Promise<void> {
  if (rules === undefined) {
    const sql = 'delete from audit_approval_rules where tenant_id = $1 and action = $2';
    await session.query(sql, [tenantId, action]);
    return;
  }
  await session.query(
    `insert into audit_approval_rules (tenant_id, action, rules, updated_by, updated_at)
     values ($1, $2, $3, $4, $5::timestamptz)
     on conflict (tenant_id, action)
     do update set rules = excluded.rules, updated_by = excluded.updated_by, updated_at = excluded.updated_at`,
    [tenantId, action, JSON.stringify(rules), by, at],
  );
}

function queriesOf(database: Database): Queries {
  return { query: (sql, parameters) => database.query(writer, sql, parameters) };
}

function rulesMismatch({ tenantId, action }: RulesKey): ServerError {
  return new ServerError(
    'APPROVAL_RULES_MISMATCH',
    `the stored minimum rules of the tenant ${tenantId} and the action ${action} are not those that the records of the service ` +
      'describe, so no approval can be requested by them; verify the trail, and set or remove these rules',
  );
}
