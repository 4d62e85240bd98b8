import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve, sep } from 'node:path';
import { describe, expect, test } from 'vitest';
import { FOLDER_RULES } from '../../../scripts/folder-edges.ts';
import { EDGES } from '../../../scripts/import-edges.ts';
import { listTree } from '../../../scripts/source-files.ts';
import { declaredNames } from './declared-names.ts';

// Documents name files and functions of the repository. When code moves, this test finds every place that still names the old one.

const root = resolve(import.meta.dirname, '../../..');
const documents = listTree(root)
  .filter((path) => path.endsWith('.md'))
  .map((path) => relative(root, path).replaceAll(sep, '/'))
  .sort();
const read = (document: string) => readFileSync(join(root, document), 'utf8');

/** Folders of the repository. A word of a command that begins with one of them is a path. */
const topFolders = ['packages', 'e2e', 'scripts', 'spec', 'docs', 'deploy'];
const fileName = /\.(?:ts|md|sql|json|yml|py|sh|js|xml)$/;

interface Document {
  /** Text without its code blocks. */
  readonly prose: string;
  /** Contents of its code blocks. */
  readonly code: string;
}

function split(document: string): Document {
  const text = read(document);
  const block = /^ *```.*?^ *```$/gms;
  return { prose: text.replaceAll(block, ''), code: [...text.matchAll(block)].join('\n') };
}

/** The folders that a short path in this document may be relative to. */
function basesOf(document: string): string[] {
  const folders = [root, join(root, 'packages'), join(root, dirname(document))];
  if (document === 'ARCHITECTURE.md') return [...folders, join(root, 'packages/server/src')];
  const [, own] = /^((?:packages|examples)\/[^/]+)\//.exec(document) ?? [];
  return own === undefined ? folders : [...folders, join(root, own), join(root, own, 'src')];
}

/** Paths of the repository that the prose names in backticks. Names of users' files, URLs and media types are none. */
function pathsIn(document: string): string[] {
  const bases = basesOf(document);
  const isPath = (text: string) => {
    if (!/^\w[\w.-]*(?:\/[\w.-]+)*\/?$/.test(text)) return false;
    const [first] = text.split('/');
    return text.includes('/')
      ? fileName.test(text) || text.endsWith('/') || bases.some((base) => existsSync(join(base, first!)))
      : fileName.test(text);
  };
  // A link has its own check, which includes its text.
  const prose = split(document).prose.replaceAll(/\[`[^`]+`\]\([^)]+\)/g, '');
  return [...prose.matchAll(/`([^`\s]+)`/g)].map(([, text]) => text!).filter(isPath);
}

/** Paths of the repository in commands, such as `python3 e2e/independent/verify.py`. */
function pathsInCommands(document: string): string[] {
  const words = split(document).code.split(/[\s'"`(),]+/);
  return words.filter((word) => {
    const [first, second] = word.split('/');
    return second !== undefined && topFolders.includes(first!) && /^[\w./-]+$/.test(word);
  });
}

function linksIn(document: string): { readonly text: string; readonly target: string }[] {
  // Code in backticks may look like a link, unless it is the text of one.
  const prose = split(document).prose.replaceAll(/\[?`[^`]+`\]?/g, (code) =>
    code.startsWith('[') && code.endsWith(']') ? code : '',
  );
  const links = prose.matchAll(/\[([^\]]+)\]\(([^)\s]+)\)/g);
  return [...links].map(([, text, target]) => ({ text: text!, target: target! }));
}

/** The part of a URL with which a heading can be linked, as GitHub makes it. */
function anchorsOf(document: string): string[] {
  return [...read(document).matchAll(/^#+ (.+)$/gm)].map(([, heading]) =>
    heading!
      .toLowerCase()
      .replaceAll(/[^\w\s-]/g, '')
      .replaceAll(' ', '-'),
  );
}

/** `` `name` in [`text`](target) ``: a function, a class or a member of a class, and the file that declares it. */
function declarationsIn(document: string): { readonly name: string; readonly file: string }[] {
  const prose = split(document).prose.replaceAll(/\s+/g, ' ');
  return [...prose.matchAll(/`([\w.#]+)` in \[`[^`]+`\]\(([^)]+\.ts)\)/g)].map(([, name, target]) => ({
    name: name!,
    file: join(root, dirname(document), target!),
  }));
}

test('finds the documents', () => {
  expect(documents).toEqual(
    expect.arrayContaining([
      'README.md',
      'ARCHITECTURE.md',
      'CONTRIBUTING.md',
      'SECURITY.md',
      'docs/verify.md',
    ]),
  );
  expect(pathsIn('spec/invariants.md').length).toBeGreaterThan(50);
  expect(declarationsIn('ARCHITECTURE.md').length).toBeGreaterThan(50);
});

describe.each(documents)('%s', (document) => {
  test('names only paths that exist', () => {
    const bases = basesOf(document);
    const named = [...pathsIn(document), ...pathsInCommands(document)];
    expect(named.filter((path) => !bases.some((base) => existsSync(join(base, path))))).toEqual([]);
  });

  test('links only to files and headings that exist, and shows the name of a file that it links to', () => {
    const broken = linksIn(document).filter(({ text, target }) => {
      if (/^(?:https?|mailto):/.test(target)) return false;
      const [path, anchor] = target.split('#');
      const file = path === '' ? document : relative(root, join(root, dirname(document), path!));
      if (!existsSync(join(root, file))) return true;
      if (anchor !== undefined) return !anchorsOf(file).includes(anchor);
      const [, shown] = /^`([\w./-]+\.\w+)`$/.exec(text) ?? [];
      return shown !== undefined && !`/${file}`.endsWith(`/${shown}`);
    });
    expect(broken).toEqual([]);
  });

  test('names functions in the file that declares them', () => {
    const moved = declarationsIn(document).filter(({ name, file }) => !declaredNames(file).has(name));
    expect(moved).toEqual([]);
  });
});

/** The rows of the table in ARCHITECTURE.md whose first cell has this heading: the first and the last cell of each. */
function rowsOf(heading: string): { readonly [first: string]: string } {
  const table = read('ARCHITECTURE.md').split(`\n| ${heading} |`)[1]!.split('\n\n')[0]!;
  const rows = table.split('\n').slice(2);
  return Object.fromEntries(
    rows.map((row) => {
      const cells = row.split('|').slice(1, -1);
      return [/`([^`]+)`/.exec(cells[0]!)![1]!, cells.at(-1)!.trim()];
    }),
  );
}

const listed = (names: readonly string[]) => names.map((name) => `\`${name}\``).join(', ');

describe('ARCHITECTURE.md', () => {
  test('shows the import rules of the packages', () => {
    const rows = rowsOf('package');
    expect(Object.keys(rows).toSorted()).toEqual(readdirSync(join(root, 'packages')).toSorted());
    for (const [name, cell] of Object.entries(rows)) {
      if (name === 'cli') expect(cell).toBe('all of the above');
      else if (EDGES[name]!.length === 0) expect(cell).toMatch(/^nothing/);
      else expect(cell, name).toBe(listed(EDGES[name]!));
    }
  });

  test("shows the import rules of the server's folders", () => {
    const shown = Object.entries(FOLDER_RULES.server!).map(([folder, allowed]) => [
      folder,
      allowed === '*' ? 'all' : allowed.length === 0 ? 'nothing' : listed(allowed),
    ]);
    expect(rowsOf('folder or file')).toEqual(Object.fromEntries(shown));
  });
});
