import { parseSync } from 'oxc-parser';

export interface Import {
  specifier: string;
  line: number;
}

interface Node {
  type: string;
  start: number;
  [key: string]: unknown;
}

/**
 * Every module that a source file names in `import`, `import type`, `export … from`, `import()`, `import('x').T`, `require()`,
 * `require.resolve()` and `import.meta.resolve()`. A specifier that is computed at run time is not found.
 *
 * @throws if the file does not parse
 */
export function importsOf(file: string, source: string): Import[] {
  const { program, errors } = parseSync(file, source);
  const first = errors[0];
  if (first) throw new Error(`${file}: ${first.message}`);
  const found: Import[] = [];
  walk(program, (node) => {
    const specifier = literal(moduleNamedBy(node));
    if (specifier === undefined) return;
    found.push({ specifier, line: source.slice(0, node.start).split('\n').length });
  });
  return found;
}

function moduleNamedBy(node: Node): unknown {
  switch (node.type) {
    case 'ImportDeclaration':
    case 'ExportNamedDeclaration':
    case 'ExportAllDeclaration':
    case 'ImportExpression':
    case 'TSImportType':
      return node.source;
    case 'TSExternalModuleReference':
      return node.expression;
    case 'CallExpression':
      return isResolver(node.callee) ? (node.arguments as unknown[])[0] : undefined;
    default:
      return undefined;
  }
}

function isResolver(callee: unknown): boolean {
  if (!isNode(callee)) return false;
  if (callee.type === 'Identifier') return callee.name === 'require';
  if (callee.type !== 'MemberExpression' || !isNode(callee.object) || !isNode(callee.property)) return false;
  const { object, property } = callee;
  return property.name === 'resolve' && (object.type === 'MetaProperty' || object.name === 'require');
}

function literal(value: unknown): string | undefined {
  if (!isNode(value)) return undefined;
  if (value.type === 'Literal' && typeof value.value === 'string') return value.value;
  if (value.type !== 'TemplateLiteral') return undefined;
  const quasis = value.quasis as { value: { cooked: string } }[];
  return quasis.length === 1 ? quasis[0]?.value.cooked : undefined;
}

function walk(value: unknown, visit: (node: Node) => void): void {
  if (Array.isArray(value)) {
    for (const item of value) walk(item, visit);
  } else if (typeof value === 'object' && value !== null) {
    if (isNode(value)) visit(value);
    for (const child of Object.values(value)) walk(child, visit);
  }
}

function isNode(value: unknown): value is Node {
  return typeof value === 'object' && value !== null && typeof (value as Node).type === 'string';
}
