import { randomBytes } from 'node:crypto';
import type { ApprovalRules } from '@tallystick/protocol';
import { storedTime } from '@tallystick/verify';
import { ServerError } from '../../errors.ts';
import { type Database, type Queries, type Session, writer } from '../../store/database.ts';
import type { Batch, EventItem, ItemOutcome } from '../batch.ts';
import {
  type BegunOperation,
  operationAdoptedRecord,
  outcomeDigest,
} from '../service-records/operation-records.ts';
import { type RulesKey, rulesAdoptedRecord, rulesChain } from '../service-records/rules-records.ts';
import { hasRules, type RulesRecords, type RulesState, readRulesStates } from './recorded-rules.ts';

/** What adopting the desk's rows needs. */
export interface DeskRowsTarget extends RulesRecords {
  readonly database: Database;
  readonly appendRanges: (batches: readonly Batch[]) => Promise<unknown>;
}

/** Operations that one transaction puts on record. */
const operationsPerBatch = 200;

/**
 * Puts the minimum rules and the operations of an earlier version on record, each in the chain that records its changes. Two replicas
 * may do it at once: the first record of a row counts. A crash leaves some of them on record, and the next call continues.
 *
 * A chain that takes no records keeps no other from being read.
 *
 * @throws {ServerError} the first error of a chain, after all others were tried
 */
export async function adoptDeskRows(target: DeskRowsTarget, now: number): Promise<void> {
  const failures: unknown[] = [];
  const attempt = async (adopt: () => Promise<void>) => {
    await adopt().catch((error: unknown) => failures.push(error));
  };
  for (const state of await rulesOfEarlierVersion(target))
    await attempt(() => adoptRules(target, state, now));
  for (const tenantId of await tenantsWithOperations(target.database))
    await attempt(() => adoptOperations(target, tenantId, now));
  if (failures.length > 0) throw failures[0];
}

/** Entries that only a record of an earlier version describes. One that none describes was not written by the service. */
async function rulesOfEarlierVersion(target: DeskRowsTarget): Promise<readonly RulesState[]> {
  const queries: Queries = { query: (sql, parameters) => target.database.query(writer, sql, parameters) };
  const rows = await queries.query<{ tenant_id: string; action: string }>(
    'select tenant_id, action from audit_approval_rules where of_earlier_version order by tenant_id, action',
  );
  const keys = rows.map(({ tenant_id, action }): RulesKey => ({ tenantId: tenant_id, action }));
  const states = await readRulesStates(queries, keys, target);
  return states.filter(
    ({ version, row, earlier }) => version === 0 && earlier !== undefined && hasRules(row, earlier),
  );
}

async function adoptRules(
  { appendRanges, serviceTenant }: DeskRowsTarget,
  { tenantId, action, row }: RulesState,
  now: number,
): Promise<void> {
  const change = { tenantId, action, chain: rulesChain({ tenantId, action }, serviceTenant), version: 1 };
  const { rules, updatedBy, updatedAt } = row!;
  const adopted = { rules: JSON.parse(rules) as ApprovalRules, updatedBy, updatedAt };
  const closeBooks = async (session: Session, [outcome]: readonly (ItemOutcome | undefined)[]) => {
    const same = await session.query(
      'select 1 as one from audit_approval_rules where tenant_id = $1 and action = $2 and rules = $3',
      [tenantId, action, rules],
    );
    if (outcome?.status === 'chained' && same.length === 0) throw changedMeanwhile();
  };
  await appendRanges([{ items: [rulesAdoptedRecord(change, adopted, now)], closeBooks }]);
}

async function tenantsWithOperations(database: Database): Promise<readonly string[]> {
  const rows = await database.query<{ tenant_id: string }>(
    writer,
    'select distinct tenant_id from audit_operations where of_earlier_version order by tenant_id',
  );
  return rows.map(({ tenant_id }) => tenant_id);
}

const operationsSql = `
  select tenant_id, idempotency_key, document_digest, intent_id::text as intent_id, begun_by, outcome, outcome_salt,
         ${storedTime('begun_at')} as begun_at
    from audit_operations where of_earlier_version and tenant_id = $1 and idempotency_key > $2
   order by idempotency_key limit ${operationsPerBatch}`;

interface OperationRow extends BegunOperation {
  readonly outcome: string | null;
  readonly outcome_salt: string | null;
}

async function adoptOperations(
  { database, appendRanges }: DeskRowsTarget,
  tenantId: string,
  now: number,
): Promise<void> {
  let after = '';
  for (;;) {
    const rows = await database.query<OperationRow>(writer, operationsSql, [tenantId, after]);
    if (rows.length > 0) await adoptBatch(appendRanges, rows, now);
    if (rows.length < operationsPerBatch) return;
    after = rows.at(-1)!.idempotency_key;
  }
}

async function adoptBatch(
  appendRanges: DeskRowsTarget['appendRanges'],
  rows: readonly OperationRow[],
  now: number,
): Promise<void> {
  const salted = rows.map((row) => ({ ...row, salt: row.outcome_salt ?? randomBytes(32).toString('hex') }));
  const items = salted.map(({ salt, outcome, outcome_salt, ...operation }): EventItem => {
    const digest = outcome === null ? undefined : outcomeDigest(salt, outcome);
    return operationAdoptedRecord(operation, digest, now);
  });
  const closeBooks = async (session: Session, outcomes: readonly (ItemOutcome | undefined)[]) => {
    for (const [index, { tenant_id, idempotency_key, outcome, salt }] of salted.entries()) {
      // Another replica has put it on record.
      if (outcomes[index]?.status !== 'chained') continue;
      const same = await session.query(
        `update audit_operations set outcome_salt = case when outcome is not null then $4 end
          where tenant_id = $1 and idempotency_key = $2 and outcome is not distinct from $3 returning 1 as one`,
        [tenant_id, idempotency_key, outcome, salt],
      );
      if (same.length === 0) throw changedMeanwhile();
    }
  };
  await appendRanges([{ items, closeBooks }]);
}

function changedMeanwhile(): ServerError {
  return new ServerError('STORE_UNAVAILABLE', 'another process is changing these rows just now');
}
