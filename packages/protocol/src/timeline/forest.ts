import { inOrder, type TimelineRecord } from './timeline-record.ts';

/** A record in its place in the tree. */
export interface TimelineRow {
  readonly record: TimelineRecord;
  /** What is drawn before the record's first line, and before its other lines. */
  readonly head: string;
  readonly rail: string;
  /** How many branches lead to it. */
  readonly depth: number;
  readonly isRoot: boolean;
  /** When the last record happened that it led to, directly or not; when it happened itself if it led to none. */
  readonly end: number;
}

interface Node {
  readonly record: TimelineRecord;
  readonly children: Node[];
  /** When the last record below it happened. */
  end: number;
}

/** Branches below this depth are drawn at this depth: an audited party must not push its records off the screen. */
const deepest = 8;

/**
 * The records as a tree by their causes, in the order in which it is drawn. The child whose records end last continues the line of its
 * cause; the others branch off before it. A record whose cause is not among them begins a line of its own, and so does the
 * earliest record of a cycle.
 */
export function forestOf(records: readonly TimelineRecord[]): TimelineRow[] {
  const rows: TimelineRow[] = [];
  const waiting = rootsOf(records)
    .map((node) => ({ node, column: '', depth: 0, isRoot: true, isBranch: false }))
    .reverse();
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    const { node, column, depth, isRoot, isBranch } = next;
    const own = isBranch && depth <= deepest ? `${column}│ ` : column;
    rows.push({
      record: node.record,
      head: isBranch ? `${column}├─● ` : `${column}● `,
      rail: node.children.length > 0 ? `${own}│ ` : `${own}  `,
      depth,
      isRoot,
      end: node.end,
    });
    const last = continuationOf(node);
    const branches = node.children.filter((child) => child !== last);
    if (last !== undefined) waiting.push({ node: last, column: own, depth, isRoot: false, isBranch: false });
    for (const branch of branches.reverse())
      waiting.push({ node: branch, column: own, depth: depth + 1, isRoot: false, isBranch: true });
  }
  return rows;
}

function continuationOf({ children }: Node): Node | undefined {
  return children.reduce<Node | undefined>(
    (last, child) => (last === undefined || child.end >= last.end ? child : last),
    undefined,
  );
}

function rootsOf(records: readonly TimelineRecord[]): Node[] {
  const nodes = [...records]
    .sort(inOrder)
    .map((record) => ({ record, children: [], end: record.time }) as Node);
  const byId = new Map<string, Node>();
  const byCause = new Map<string, Node[]>();
  for (const node of nodes) {
    const { id, cause } = node.record;
    if (!byId.has(id)) byId.set(id, node);
    if (cause === undefined) continue;
    const siblings = byCause.get(cause);
    if (siblings === undefined) byCause.set(cause, [node]);
    else siblings.push(node);
  }
  const isRoot = ({ record: { cause } }: Node) => cause === undefined || !byId.has(cause);
  const reached = new Set<Node>();
  /** Puts everything that a record led to below it. */
  const reach = (root: Node) => {
    const order = [root];
    reached.add(root);
    for (const node of order) {
      // After a recovery two epochs may have an event of one id. What it led to is below the first one.
      const led = byId.get(node.record.id) === node ? (byCause.get(node.record.id) ?? []) : [];
      for (const child of led.filter((each) => !reached.has(each))) {
        node.children.push(child);
        reached.add(child);
        order.push(child);
      }
    }
    for (const node of order.reverse())
      for (const child of node.children) node.end = Math.max(node.end, child.end);
  };
  const roots = nodes.filter(isRoot);
  for (const root of roots) reach(root);
  // Each of the others is in a cycle, or below one.
  for (const node of nodes) {
    if (reached.has(node)) continue;
    roots.push(node);
    reach(node);
  }
  return roots.sort((a, b) => inOrder(a.record, b.record));
}
