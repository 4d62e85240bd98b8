import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join, relative, resolve } from 'node:path';
import { type ApiModule, type ApiName, readApi } from './public-api.ts';

const root = resolve(import.meta.dirname, '..');

interface Manifest {
  readonly name: string;
  readonly description?: string;
  readonly private?: boolean;
  readonly exports?: {
    readonly [subpath: string]: string | { readonly 'tallystick-source'?: string; readonly default?: string };
  };
}

/** The public modules: one for each subpath in the `exports` of each published package, read from `<base>/packages/…`. */
export function publishedModules(base: string = root): ApiModule[] {
  return readdirSync(join(root, 'packages')).flatMap((folder) => {
    const manifest = JSON.parse(
      readFileSync(join(root, 'packages', folder, 'package.json'), 'utf8'),
    ) as Manifest;
    if (manifest.private === true) return [];
    return Object.entries(manifest.exports ?? {}).flatMap(([subpath, target]) => {
      // An export without `default` can be imported inside this repository only.
      if (typeof target === 'string' || target.default === undefined) return [];
      const source = target['tallystick-source'];
      if (source === undefined) return [];
      const file = join(base, 'packages', folder, source);
      const declarations = file.replace(/\.ts$/, '.d.ts');
      return [readApi(join(manifest.name, subpath), existsSync(declarations) ? declarations : file)];
    });
  });
}

/** Writes one page of Markdown per module, from the declarations that the compiler makes of the sources. */
function write(destination: string): void {
  const declarations = join(root, 'dist', `api-types-${process.pid}`);
  try {
    mkdirSync(declarations, { recursive: true });
    const emit = { declaration: true, emitDeclarationOnly: true, noCheck: true };
    const compilerOptions = { ...emit, outDir: declarations, rootDir: root };
    const project = join(declarations, 'tsconfig.json');
    const include = [join(root, 'packages/*/src')];
    writeFileSync(
      project,
      JSON.stringify({ extends: join(root, 'tsconfig.base.json'), compilerOptions, include }),
    );
    execFileSync(join(root, 'node_modules/.bin/tsc'), ['-p', project], { stdio: 'inherit' });
    const modules = publishedModules(declarations);
    mkdirSync(destination, { recursive: true });
    for (const module of modules) {
      writeFileSync(join(destination, pageOf(module)), page(module));
    }
    writeFileSync(join(destination, 'README.md'), contents(modules));
    console.log(`${modules.length} modules in ${relative(process.cwd(), destination)}`);
  } finally {
    rmSync(declarations, { recursive: true, force: true });
  }
}

function pageOf({ specifier }: { readonly specifier: string }): string {
  return `${specifier.replace(/^@/, '').replaceAll('/', '-')}.md`;
}

function contents(modules: readonly ApiModule[]): string {
  const rows = modules.map(
    (module) => `| [${module.specifier}](${pageOf(module)}) | ${module.names.length} |`,
  );
  return `# API reference\n\nMade by \`npm run docs\` from the docstrings.\n\n| module | names |\n|---|---|\n${rows.join('\n')}\n`;
}

function page({ specifier, names }: ApiModule): string {
  const sorted = names.toSorted((a, b) => a.name.localeCompare(b.name));
  return `# ${specifier}\n\n${sorted.map((name) => entry(name)).join('\n')}`;
}

function entry({ name, doc, signature, from }: ApiName): string {
  const where = from === undefined ? '' : `From [${from}](${pageOf({ specifier: from })}).\n\n`;
  const code = signature === '' ? '' : `\`\`\`ts\n${signature}\n\`\`\`\n`;
  return `## ${name}\n\n${where}${doc === '' ? '' : `${prose(doc)}\n\n`}${code}`;
}

/** Makes paragraphs of tags, and text of links. */
function prose(doc: string): string {
  return doc
    .replaceAll(/\{@link\s+([^}|\s]+)[^}]*\}/g, '`$1`')
    .replaceAll(/^@param\s+(\S+)\s*/gm, '\n**$1**: ')
    .replaceAll(/^@(returns|throws|defaultValue)\s*/gm, '\n**$1** ')
    .replaceAll(/^@example\s*\n([\s\S]*?)(?=^@|$(?![\s\S]))/gm, '\n```ts\n$1\n```\n');
}

if (import.meta.main) {
  const [destination = join(root, 'dist/api')] = process.argv.slice(2);
  write(resolve(destination));
  console.log(`start reading at ${basename(destination)}/README.md`);
}
