/** A node of the answer of `explain (analyze, format json)`. */
interface PlanNode {
  readonly 'Relation Name'?: string;
  readonly 'Actual Rows': number;
  readonly 'Actual Loops': number;
  readonly 'Rows Removed by Filter'?: number;
  readonly Plans?: readonly PlanNode[];
}

/** The answer of `explain (analyze, format json)`. */
export interface ExplainRow {
  readonly 'QUERY PLAN': readonly { readonly Plan: PlanNode }[];
}

/** Rows that the plan has read of the tables whose names begin so. A partition has the name of its table and a month. */
export function rowsRead([row]: readonly ExplainRow[], table: string): number {
  return rowsOf(row!['QUERY PLAN'][0]!.Plan, table);
}

function rowsOf(node: PlanNode, table: string): number {
  const own = node['Relation Name']?.startsWith(table)
    ? (node['Actual Rows'] + (node['Rows Removed by Filter'] ?? 0)) * node['Actual Loops']
    : 0;
  return own + (node.Plans ?? []).reduce((sum, each) => sum + rowsOf(each, table), 0);
}
