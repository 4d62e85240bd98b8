import { readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { parseSync } from 'oxc-parser';

/** One name that a module exports. */
export interface ApiName {
  readonly name: string;
  /** Its docstring without the stars; empty if it has none. */
  readonly doc: string;
  /** The declaration, without bodies and initial values. */
  readonly signature: string;
  /** The package that it comes from, if that is another one. */
  readonly from: string | undefined;
}

/** A module that can be imported, with its names. */
export interface ApiModule {
  readonly specifier: string;
  readonly names: readonly ApiName[];
}

interface Node {
  readonly type: string;
  readonly start: number;
  readonly end: number;
  readonly [key: string]: unknown;
}

interface Source {
  readonly file: string;
  readonly text: string;
  readonly body: readonly Node[];
  /** Docstrings, by the position at which the code after them begins. */
  readonly docs: ReadonlyMap<number, string>;
}

/**
 * Every name that a module exports, with its declaration, which may be in another file. Reads sources and declaration files.
 *
 * @throws if a file does not parse, or if the declaration of a name is not found
 */
export function readApi(specifier: string, file: string): ApiModule {
  return { specifier, names: exportsOf(file) };
}

const sources = new Map<string, Source>();

function read(file: string): Source {
  const known = sources.get(file);
  if (known !== undefined) return known;
  const text = readFileSync(file, 'utf8');
  const { program, comments, errors } = parseSync(file, text);
  if (errors[0] !== undefined) throw new Error(`${file}: ${errors[0].message}`);
  const docs = new Map<number, string>();
  for (const { type, value, end } of comments) {
    if (type !== 'Block' || !value.startsWith('*')) continue;
    const gap = /^\s*/.exec(text.slice(end))![0].length;
    docs.set(end + gap, plain(value));
  }
  const source = { file, text, body: program.body as unknown as Node[], docs };
  sources.set(file, source);
  return source;
}

function plain(comment: string): string {
  return comment
    .slice(1)
    .replaceAll(/^[ \t]*\* ?/gm, '')
    .trim();
}

function exportsOf(file: string): ApiName[] {
  const source = read(file);
  const names = new Map<string, ApiName>();
  for (const node of source.body) {
    for (const name of exportedBy(source, node)) {
      const before = names.get(name.name);
      // An overload, or a value and a type with the same name.
      const both = before && {
        ...name,
        doc: before.doc || name.doc,
        signature: `${before.signature}\n${name.signature}`,
      };
      names.set(name.name, both ?? name);
    }
  }
  return [...names.values()];
}

function exportedBy(source: Source, node: Node): ApiName[] {
  const from = (node.source as { value: string } | null | undefined)?.value;
  if (node.type === 'ExportAllDeclaration') {
    const all = follow(source, from!);
    const exported = node.exported as { name: string } | null;
    if (exported === null) return all;
    const doc = source.docs.get(node.start) ?? firstComment(source, from!);
    const signature = all.map((name) => name.signature).join('\n\n');
    return [{ name: exported.name, doc, signature, from: undefined }];
  }
  if (node.type === 'ExportDefaultDeclaration') {
    const all = declared(source, node, node.declaration as Node);
    return all.map((name) => ({ ...name, name: 'default' }));
  }
  if (node.type !== 'ExportNamedDeclaration') return [];
  const declaration = node.declaration as Node | null;
  if (declaration !== null) return declared(source, node, declaration);
  return (node.specifiers as { local: { name: string }; exported: { name: string } }[]).map(
    ({ local, exported }) => {
      const found =
        from === undefined ? ownName(source, local.name) : named(source, from, local.name, exported.name);
      return { ...found, name: exported.name };
    },
  );
}

function named(source: Source, from: string, name: string, as: string): ApiName {
  if (!from.startsWith('.')) return { name: as, doc: `See ${from}.`, signature: '', from };
  const found = follow(source, from).find((candidate) => candidate.name === name);
  if (found === undefined) throw new Error(`${source.file}: ${from} does not export ${name}`);
  return found;
}

/** A name that an `export { … }` without `from` lists: the file declares it or imports it. */
function ownName(source: Source, name: string): ApiName {
  for (const node of source.body) {
    if (node.type === 'ImportDeclaration') {
      for (const { local, imported } of node.specifiers as {
        local: { name: string };
        imported?: { name: string };
      }[]) {
        if (local.name !== name || imported === undefined) continue;
        return named(source, (node.source as { value: string }).value, imported.name, name);
      }
    }
    const found = declared(source, node, node).find((candidate) => candidate.name === name);
    if (found !== undefined) return found;
  }
  throw new Error(`${source.file}: exports ${name}, but neither declares nor imports it`);
}

function follow(source: Source, from: string): ApiName[] {
  return exportsOf(fileOf(source, from));
}

function fileOf(source: Source, from: string): string {
  const path = resolve(dirname(source.file), from);
  return source.file.endsWith('.d.ts') ? path.replace(/\.[jt]sx?$/, '.d.ts') : path;
}

function firstComment(source: Source, from: string): string {
  const text = read(fileOf(source, from)).text;
  const comment = /^\s*\/\*(\*[\s\S]*?)\*\//.exec(text);
  return comment === null ? '' : plain(comment[1]!);
}

function declared(source: Source, statement: Node, declaration: Node): ApiName[] {
  const doc = source.docs.get(statement.start) ?? '';
  const of = (name: string, signature: string): ApiName => ({ name, doc, signature, from: undefined });
  const name = (declaration.id as { name: string } | null | undefined)?.name;
  switch (declaration.type) {
    case 'VariableDeclaration':
      return (declaration.declarations as Node[]).map(({ id, end }) => {
        const pattern = id as Node & { name: string };
        const typed = source.text.slice(pattern.start, pattern.typeAnnotation ? pattern.end : end);
        return of(pattern.name, `const ${typed}`);
      });
    case 'ClassDeclaration':
      return [of(name!, classText(source, declaration))];
    case 'FunctionDeclaration':
    case 'TSDeclareFunction': {
      const end = (declaration.body as Node | null)?.start ?? declaration.end;
      return [of(name!, source.text.slice(declaration.start, end).trim())];
    }
    case 'TSInterfaceDeclaration':
    case 'TSTypeAliasDeclaration':
      return [of(name!, source.text.slice(declaration.start, declaration.end))];
    default:
      return [];
  }
}

/** The signature of a class, without the bodies of its methods and without private members. */
function classText(source: Source, node: Node): string {
  const body = node.body as { readonly start: number; readonly body: readonly Node[] };
  const members = body.body
    .filter(
      (member) =>
        (member.key as Node | undefined)?.type !== 'PrivateIdentifier' && member.accessibility !== 'private',
    )
    .map((member) => {
      const doc = source.docs.get(member.start);
      const value = member.value as (Node & { readonly body?: Node | null }) | null | undefined;
      const end = value?.body?.start ?? member.end;
      const comment = doc === undefined ? '' : `  /** ${doc.replaceAll('\n', '\n   * ')} */\n`;
      return `${comment}  ${source.text.slice(member.start, end).trim()}`;
    });
  return `${source.text.slice(node.start, body.start).trim()} {\n${members.join('\n')}\n}`;
}
