/** One file of a tree imports another one. Paths are relative to the tree, with `/` between the parts. */
export interface FileImport {
  readonly from: string;
  readonly to: string;
  readonly line: number;
}

/** Entries of one folder that import each other in a circle. */
export interface ImportCycle {
  /** The folder that holds the entries; empty for the root of the tree. */
  readonly folder: string;
  /** One import for each step of a shortest circle; the last one leads back to the first entry. */
  readonly steps: readonly FileImport[];
}

/**
 * Finds import cycles between files and between folders. In every folder, the entries (files and folders) form a graph: one entry
 * imports another one if a file in it imports a file in the other. For each entry on a cycle, a shortest cycle through it is
 * reported; the same cycle is not reported twice.
 */
export function importCycles(imports: readonly FileImport[]): ImportCycle[] {
  return [...graphs(imports)]
    .flatMap(([folder, graph]) => cyclesOf(graph).map((steps) => ({ folder, steps })))
    .sort((a, b) => (a.folder < b.folder ? -1 : a.folder > b.folder ? 1 : 0));
}

/** The entries of a folder, and for each the entries it imports, with the first import that says so. */
type Graph = Map<string, Map<string, FileImport>>;

function graphs(imports: readonly FileImport[]): Map<string, Graph> {
  const byFolder = new Map<string, Graph>();
  for (const one of imports) {
    const from = one.from.split('/');
    const to = one.to.split('/');
    const depth = from.findIndex((part, index) => part !== to[index]);
    if (depth < 0) continue;
    const folder = from.slice(0, depth).join('/');
    const graph: Graph = byFolder.get(folder) ?? new Map();
    byFolder.set(folder, graph);
    const targets = graph.get(from[depth]!) ?? new Map<string, FileImport>();
    graph.set(from[depth]!, targets);
    if (!targets.has(to[depth]!)) targets.set(to[depth]!, one);
  }
  return byFolder;
}

function cyclesOf(graph: Graph): FileImport[][] {
  const found = new Map<string, FileImport[]>();
  for (const start of [...graph.keys()].sort()) {
    const { entries, steps } = shortestCycle(graph, start);
    const name = entries.sort().join('/');
    if (steps.length > 0 && !found.has(name)) found.set(name, steps);
  }
  return [...found.values()];
}

/** A shortest way from `start` to itself, breadth first; without steps if there is none. */
function shortestCycle(graph: Graph, start: string): { entries: string[]; steps: FileImport[] } {
  const open = [{ entry: start, entries: [start], steps: [] as FileImport[] }];
  const seen = new Set<string>();
  for (const { entry, entries, steps } of open) {
    for (const [next, step] of graph.get(entry) ?? []) {
      if (next === start) return { entries, steps: [...steps, step] };
      if (seen.has(next)) continue;
      seen.add(next);
      open.push({ entry: next, entries: [...entries, next], steps: [...steps, step] });
    }
  }
  return { entries: [start], steps: [] };
}
