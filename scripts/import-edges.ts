import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { basename, dirname, join, relative, resolve, sep } from 'node:path';
import { folderEdgeViolations } from './folder-edges.ts';
import { type Import, importsOf } from './imports.ts';
import { isSource, listTree } from './source-files.ts';
import { terminalWriteViolations } from './terminal-writes.ts';

const PUBLISHED = ['event', 'protocol', 'client', 'log', 'verify', 'sdk', 'server', 'console'];

/**
 * What the shipped code of each folder below packages/ may import of the others. An entry is the name of such a folder, which
 * allows all that its package exports, or with a subpath (`server/embedded`), which allows this export alone.
 */
export const EDGES: Record<string, readonly string[]> = {
  event: [],
  protocol: ['event'],
  log: ['event'],
  verify: ['log', 'event'],
  sdk: ['event', 'protocol'],
  client: ['protocol'],
  server: ['event', 'protocol', 'log', 'verify'],
  console: ['client', 'protocol', 'verify', 'log', 'event'],
  cli: PUBLISHED,
  testing: [],
};
/** The demo in `examples/soc` shows commands of `tally`, and tells the end of its story as `tally demo` does. */
const EXAMPLE_EDGES: readonly string[] = [
  'sdk',
  'client',
  'server/embedded',
  'cli/demo/story-parts',
  'cli/program',
];
/** What one file may import beyond what its package may. The demo starts the broker of the tests with `--kafka`. */
const FILE_EDGES: Record<string, readonly string[]> = {
  'examples/soc/src/demo/broker.ts': ['testing/kafka'],
};

/** Names that do not say what a folder contains. */
const EMPTY_NAMES = new Set(['core', 'common', 'utils', 'util', 'types', 'helpers', 'misc', 'shared']);

const TOP_FOLDERS = ['packages', 'examples', 'e2e', 'bench', 'scripts', 'spec', 'docs', 'deploy'];

/** A package of this repository. With an empty `key`: the code outside all packages. */
interface Unit {
  dir: string;
  key: string;
  name: string;
  allowed: readonly string[];
}

interface Manifest {
  name: string;
  dependencies?: Record<string, string>;
  peerDependencies?: Record<string, string>;
  optionalDependencies?: Record<string, string>;
}

/** One line for each import, name or dependency in the tree at `root` that breaks a rule; empty if there is none. */
export function importEdgeViolations(root: string): string[] {
  const paths = TOP_FOLDERS.flatMap((folder) => listTree(join(root, folder)));
  const units = [...unitsIn(root, 'packages'), ...unitsIn(root, 'examples')];
  const namesOf = new Map(units.map((unit) => [unit.name, unit]));
  const outside: Unit = { dir: root, key: '', name: '', allowed: [] };

  const found = paths.filter((path) => EMPTY_NAMES.has(basename(path)) && !isSource(path)).map(emptyName);
  for (const unit of units) {
    const lastPart = unit.name.split('/').at(-1)!;
    if (EMPTY_NAMES.has(lastPart)) found.push(`${unit.dir}: a package can't be named "${unit.name}"`);
    for (const name of shippedDependencies(unit.dir)) {
      const target = namesOf.get(name);
      if (target && !unit.allowed.some((one) => one.split('/')[0] === target.key))
        found.push(edge(join(unit.dir, 'package.json'), unit, target));
    }
  }
  for (const file of paths.filter(isSource)) {
    const unit = units.find(({ dir }) => file.startsWith(dir + sep)) ?? outside;
    for (const imported of importsOf(file, readFileSync(file, 'utf8'))) {
      const message = judge(root, file, unit, imported, units);
      if (message) found.push(message);
    }
  }
  return found.map((message) => message.replaceAll(root + sep, '')).sort();
}

function judge(
  root: string,
  file: string,
  unit: Unit,
  { specifier, line }: Import,
  units: Unit[],
): string | undefined {
  const at = `${file}:${line}`;
  if (specifier.startsWith('.')) {
    const path = resolve(dirname(file), specifier);
    const other = units.find(({ dir }) => (path + sep).startsWith(dir + sep));
    // Benchmarks may measure what a package does not export.
    const mayReach = file.split(sep).includes('bench') && unit.key === '';
    if (other && other !== unit) {
      return mayReach ? undefined : `${at}: reaches into ${other.name} by a path; import it by its name`;
    }
    const leaves = unit.key !== '' && !(path + sep).startsWith(unit.dir + sep);
    return leaves && isShipped(file, unit) ? `${at}: leaves its package by a path (${specifier})` : undefined;
  }
  const target = units.find(({ name }) => specifier === name || specifier.startsWith(`${name}/`));
  if (!target) return undefined;
  if (/^(src|dist|test)(\/|$)/.test(specifier.slice(target.name.length + 1))) {
    return `${at}: reaches into ${target.name} (${specifier}); import what it exports`;
  }
  const exported = target.key + specifier.slice(target.name.length);
  const ofFile = FILE_EDGES[relative(root, file).split(sep).join('/')] ?? [];
  const isAllowed = [target.key, exported].some((one) => unit.allowed.includes(one) || ofFile.includes(one));
  return target === unit || !isShipped(file, unit) || isAllowed ? undefined : edge(at, unit, target);
}

/** Tests, benchmarks and scripts may use any package, `testing` included. */
function isShipped(file: string, unit: Unit): boolean {
  return unit.key !== '' && !/^(test|bench|e2e)$/.test(relative(unit.dir, file).split(sep)[0]!);
}

function edge(at: string, from: Unit, to: Unit): string {
  const allowed = from.allowed.join(', ') || 'none of the others';
  return `${at}: ${from.name} must not import ${to.name} (allowed: ${allowed})`;
}

function emptyName(path: string): string {
  return `${path}: "${basename(path)}" says nothing about what is inside`;
}

function unitsIn(root: string, folder: string): Unit[] {
  const parent = join(root, folder);
  if (!existsSync(parent)) return [];
  return readdirSync(parent, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ name: key }) => {
      const dir = join(parent, key);
      const allowed = folder === 'examples' ? EXAMPLE_EDGES : EDGES[key];
      if (!allowed) throw new Error(`${dir}: say in scripts/import-edges.ts what this package may import`);
      return { key, dir, name: manifestOf(dir).name, allowed };
    });
}

function shippedDependencies(dir: string): string[] {
  const { dependencies, peerDependencies, optionalDependencies } = manifestOf(dir);
  return Object.keys({ ...dependencies, ...peerDependencies, ...optionalDependencies });
}

function manifestOf(dir: string): Manifest {
  const path = join(dir, 'package.json');
  return existsSync(path) ? JSON.parse(readFileSync(path, 'utf8')) : { name: basename(dir) };
}

if (import.meta.main) {
  const root = resolve(import.meta.dirname, '..');
  const violations = [
    ...importEdgeViolations(root),
    ...folderEdgeViolations(root),
    ...terminalWriteViolations(root),
  ];
  for (const violation of violations) console.error(violation);
  if (violations.length > 0) process.exitCode = 1;
}
