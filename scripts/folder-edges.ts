import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve, sep } from 'node:path';
import { type FileImport, type ImportCycle, importCycles } from './import-cycles.ts';
import { importsOf } from './imports.ts';
import { isSource, listTree } from './source-files.ts';

/**
 * What the folders inside one package may import of each other. A key is a folder, or a file with its extension, relative to
 * `src`. A file belongs to the longest key that contains it. The value lists the keys that it may import; `*` allows all. An
 * entry that names a folder above several keys (`ingest`) allows all of them (`ingest/admit`, `ingest/http`).
 */
export type FolderRules = Readonly<Record<string, readonly string[] | '*'>>;

/** The rules of each folder below packages/. A package without rules is checked for import cycles only. */
export const FOLDER_RULES: Readonly<Record<string, FolderRules>> = {
  // An event travels ingest → chain → store. What reads (trail, proofs) imports nothing that writes to a chain, and only the
  // files that compose the service import http.
  server: {
    'index.ts': '*',
    'kafka.ts': '*',
    'app.ts': [
      'background-work.ts',
      'service-options.ts',
      'access',
      'approvals',
      'followers',
      'trail',
      'chain',
      'ingest',
      'proofs',
      'store',
      'observer.ts',
      'errors.ts',
    ],
    'background-work.ts': [
      'service-options.ts',
      'approvals',
      'followers',
      'chain',
      'ingest',
      'proofs',
      'store',
    ],
    'service-options.ts': ['approvals', 'followers', 'ingest', 'store', 'observer.ts', 'errors.ts'],
    'embedded.ts': ['app.ts', 'service-options.ts', 'embedded-desk.ts', 'ingest', 'errors.ts'],
    'embedded-desk.ts': ['app.ts', 'approvals', 'errors.ts'],
    'errors.ts': [],
    input: [],
    'observer.ts': ['chain', 'store'],
    timing: [],
    'kafka-client': ['timing', 'errors.ts'],
    store: ['timing', 'errors.ts'],
    chain: ['input', 'store', 'timing', 'errors.ts'],
    ingest: ['input', 'chain', 'store', 'timing', 'observer.ts', 'errors.ts', 'ingest/admit'],
    'ingest/admit': ['input', 'chain', 'errors.ts'],
    'ingest/http': ['ingest/admit', 'input', 'errors.ts'],
    'ingest/gateway': ['ingest', 'ingest/admit', 'kafka-client', 'timing', 'errors.ts'],
    'ingest/kafka': [
      'ingest',
      'ingest/admit',
      'input',
      'chain',
      'store',
      'kafka-client',
      'timing',
      'errors.ts',
    ],
    trail: ['store', 'timing', 'errors.ts'],
    proofs: ['trail', 'store', 'timing', 'errors.ts'],
    operations: ['ingest', 'input', 'chain', 'proofs', 'trail', 'store', 'timing', 'errors.ts'],
    // The desk writes its records through the one writer, and reads the intents that it is asked about.
    approvals: ['ingest', 'input', 'chain', 'trail', 'store', 'timing', 'observer.ts', 'errors.ts'],
    // What followers write into a chain goes through the one writer.
    followers: ['ingest', 'chain', 'trail', 'store', 'timing', 'errors.ts'],
    access: ['input', 'store', 'errors.ts'],
    metrics: ['approvals', 'ingest', 'operations', 'followers', 'store', 'observer.ts'],
    http: [
      'app.ts',
      'access',
      'approvals',
      'followers',
      'ingest',
      'input',
      'metrics',
      'operations',
      'proofs',
      'trail',
      'store',
      'timing',
      'errors.ts',
    ],
  },
  // An event travels event → redaction → delivery or spool → transport; the emitter composes them.
  sdk: {
    'index.ts': '*',
    'browser.ts': '*',
    'kafka.ts': ['compat', 'transport'],
    'clock.ts': [],
    'errors.ts': ['event'],
    'configuration.ts': ['errors.ts'],
    'time-limit.ts': ['clock.ts'],
    observe: ['errors.ts', 'clock.ts'],
    event: ['observe', 'errors.ts'],
    redaction: ['event', 'configuration.ts', 'errors.ts'],
    transport: ['configuration.ts', 'time-limit.ts', 'clock.ts', 'errors.ts'],
    delivery: ['event', 'transport', 'time-limit.ts', 'clock.ts', 'errors.ts'],
    spool: ['delivery', 'event', 'redaction', 'configuration.ts', 'clock.ts', 'errors.ts'],
    emitter: '*',
    compat: ['emitter', 'observe', 'transport', 'delivery', 'event', 'configuration.ts', 'errors.ts'],
    gate: ['emitter', 'event', 'redaction', 'time-limit.ts', 'clock.ts'],
    fetch: [
      'emitter',
      'event',
      'redaction',
      'delivery',
      'transport',
      'observe',
      'configuration.ts',
      'errors.ts',
    ],
    integrations: [
      'gate',
      'emitter',
      'event',
      'redaction',
      'delivery',
      'transport',
      'observe',
      'spool',
      'configuration.ts',
      'time-limit.ts',
      'clock.ts',
      'errors.ts',
    ],
    testing: ['emitter', 'event', 'redaction', 'transport'],
  },
};

/** One line for each import inside a package that breaks a rule; empty if there is none. */
export function folderEdgeViolations(
  root: string,
  rules: Readonly<Record<string, FolderRules>> = FOLDER_RULES,
): string[] {
  const packages = join(root, 'packages');
  if (!existsSync(packages)) return [];
  return readdirSync(packages)
    .flatMap((key) => {
      const src = join(packages, key, 'src');
      const files = listTree(src)
        .filter(isSource)
        .map((file) => relative(src, file).replaceAll(sep, '/'));
      const imports = files.flatMap((file) => importsWithin(src, file));
      const prefix = `packages/${key}/src`;
      return [
        ...(rules[key] === undefined ? [] : ruleViolations(prefix, files, imports, rules[key])),
        ...importCycles(imports).map((cycle) => describeCycle(prefix, cycle)),
      ];
    })
    .sort();
}

/** What `file` imports of its own package by a relative path. */
function importsWithin(src: string, file: string): FileImport[] {
  const path = join(src, file);
  return importsOf(path, readFileSync(path, 'utf8')).flatMap(({ specifier, line }) => {
    if (!specifier.startsWith('.')) return [];
    const to = relative(src, resolve(dirname(path), specifier)).replaceAll(sep, '/');
    return to.startsWith('../') ? [] : [{ from: file, to, line }];
  });
}

function ruleViolations(
  prefix: string,
  files: readonly string[],
  imports: readonly FileImport[],
  rules: FolderRules,
): string[] {
  const keys = Object.keys(rules);
  const keyOf = (file: string) =>
    keys
      .filter((key) => isWithin(file, key))
      .reduce((longest, key) => (key.length > longest.length ? key : longest), '');
  const found: string[] = [];
  for (const key of keys) {
    if (!files.some((file) => isWithin(file, key)))
      found.push(`${prefix}/${key}: has a rule but does not exist`);
    const allowed = rules[key]!;
    for (const target of allowed === '*' ? [] : allowed) {
      if (!keys.some((other) => isWithin(other, target)))
        found.push(`${prefix}/${key}: its rule allows "${target}", which has no rule of its own`);
    }
  }
  for (const file of files) {
    if (keyOf(file) === '')
      found.push(`${prefix}/${file}: say in scripts/folder-edges.ts what it may import`);
  }
  for (const { from, to, line } of imports) {
    const [own, target] = [keyOf(from), keyOf(to)];
    const allowed = rules[own] ?? '*';
    if (own === target || target === '' || allowed === '*') continue;
    if (allowed.some((one) => isWithin(target, one))) continue;
    found.push(
      `${prefix}/${from}:${line}: ${own} must not import ${target} (allowed: ${allowed.join(', ') || 'nothing'})`,
    );
  }
  return found;
}

function isWithin(path: string, folder: string): boolean {
  return path === folder || path.startsWith(`${folder}/`);
}

function describeCycle(prefix: string, { folder, steps }: ImportCycle): string {
  const where = folder === '' ? prefix : `${prefix}/${folder}`;
  const depth = folder === '' ? 0 : folder.split('/').length;
  const entries = steps.map(({ from }) => from.split('/')[depth]!);
  const evidence = steps.map(({ from, to, line }) => `${from}:${line} imports ${to}`).join('; ');
  return `${where}: import cycle ${[...entries, entries[0]].join(' → ')} (${evidence})`;
}
