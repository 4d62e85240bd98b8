import { readFileSync } from 'node:fs';
import { parseSync } from 'oxc-parser';

interface Node {
  readonly type: string;
  readonly [key: string]: unknown;
}

/** The names that a TypeScript file declares: functions, classes, types, constants, and members of classes as `Class.member`. */
export function declaredNames(file: string): ReadonlySet<string> {
  const { program, errors } = parseSync(file, readFileSync(file, 'utf8'));
  if (errors.length > 0) throw new Error(`${file}: ${errors[0]!.message}`);
  const names = new Set<string>();
  for (const statement of program.body as unknown as Node[]) {
    const declaration = (statement.declaration as Node | null | undefined) ?? statement;
    for (const name of namesOf(declaration)) names.add(name);
  }
  return names;
}

function namesOf(declaration: Node): string[] {
  if (declaration.type === 'VariableDeclaration') {
    return (declaration.declarations as Node[]).flatMap(({ id }) => nameOf(id));
  }
  const own = nameOf(declaration.id);
  if (declaration.type !== 'ClassDeclaration') return own;
  const members = (declaration.body as { readonly body: readonly Node[] }).body;
  return [...own, ...members.flatMap(({ key }) => nameOf(key)).map((member) => `${own[0]}.${member}`)];
}

function nameOf(node: unknown): string[] {
  const { type, name } = (node ?? {}) as Partial<Node>;
  if (type === 'PrivateIdentifier') return [`#${name}`];
  return typeof name === 'string' ? [name] : [];
}
