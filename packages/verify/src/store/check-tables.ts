import type { FindingSink } from '../report.ts';
import { checkApprovalRules } from './approval-rules/check-approval-rules.ts';
import { checkApprovals } from './approvals/check-approvals.ts';
import { checkBooks } from './books/check-books.ts';
import { checkOperations } from './operations/check-operations.ts';
import type { Query } from './read-store.ts';
import { checkSubjects } from './subjects/check-subjects.ts';

/** Whose tables are compared with the records. */
export interface TablesOptions {
  readonly tenantId: string;
  /** Epoch of the report: findings name only others. */
  readonly epoch: number;
  /**
   * Tenant of the service's own records. Its verification also reports the rows that no chain has the records of.
   * @defaultValue 'tallystick'
   */
  readonly serviceTenant?: string | undefined;
}

/** Rows of earlier versions that were not compared, as a report has them. A count of 0 is absent. */
export interface RowsNotOnRecord {
  readonly accounts_not_on_record?: number;
  readonly operations_not_on_record?: number;
}

/**
 * Compares every table that changes with the service's records of the changes in one tenant's chain: dead letters, API keys, accounts of
 * producers, approvals, minimum rules, operations, and blocked subjects.
 */
export async function checkTables(
  query: Query,
  options: TablesOptions,
  findings: FindingSink,
): Promise<RowsNotOnRecord> {
  const { accountsNotOnRecord } = await checkBooks(query, options, findings);
  await checkApprovals(query, options, findings);
  await checkApprovalRules(query, options, findings);
  const { operationsNotOnRecord } = await checkOperations(query, options, findings);
  if (options.tenantId === (options.serviceTenant ?? 'tallystick'))
    await checkSubjects(query, options.tenantId, findings);
  return {
    ...(accountsNotOnRecord > 0 && { accounts_not_on_record: accountsNotOnRecord }),
    ...(operationsNotOnRecord > 0 && { operations_not_on_record: operationsNotOnRecord }),
  };
}
