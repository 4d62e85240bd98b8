import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Manifest, readManifest } from '../../../scripts/pack.ts';
import { sharedTarballs, type Tarball } from '../src/shared-tarballs.ts';
import { largeRemovalMs, type TempDir, tempDir } from '../src/temp-dir.ts';
import { pinnedExports } from './exports.ts';
import { blocksOf, runCommand, runProgram, shellLines, startDev } from './packed-documents.ts';

const root = resolve(import.meta.dirname, '../../..');
/** Most steps start `npm` or the compiler. */
const slow = { timeout: 300_000 };

const CONTENTS = [/^dist\/.*\.(js|d\.ts)$/, /^(package\.json|README\.md|LICENSE)$/];
const MORE_CONTENTS: Record<string, RegExp> = {
  '@tallystick/console': /^dist\/site\//,
  '@tallystick/server': /^sql\//,
  tallystick: /^bin\//,
};

let dir: TempDir;
let project: string;
let tarballs: readonly Tarball[];
let manifests: Manifest[];
let modules: string[];

beforeAll(async () => {
  dir = tempDir();
  tarballs = await sharedTarballs();
  project = join(dir.path, 'project');
  manifests = await install();
  modules = manifests.flatMap(modulesOf);
}, 300_000);
afterAll(() => dir.removeLarge(), largeRemovalMs);

/** Installs all tarballs and their peer dependencies in an empty project. */
async function install(): Promise<Manifest[]> {
  makeProject(project);
  await npm(['install', ...tarballs.map(({ file }) => file)]);
  const installed = tarballs.map(({ name }) => readManifest(join(project, 'node_modules', name)));
  const own = new Set(tarballs.map(({ name }) => name));
  const peers = installed
    .flatMap(({ peerDependencies }) => Object.entries(peerDependencies ?? {}))
    .filter(([name]) => !own.has(name));
  if (peers.length > 0) await npm(['install', ...peers.map(([name, range]) => `${name}@${range}`)]);
  return installed;
}

function makeProject(path: string): void {
  mkdirSync(path);
  writeFileSync(join(path, 'package.json'), JSON.stringify({ type: 'module', private: true }));
}

const quiet = ['--prefer-offline', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'];

async function npm(args: string[], cwd = project): Promise<void> {
  await runCommand('npm', [...args, ...quiet], { cwd });
}

/** The modules that can be imported: every subpath of `exports` that leads to JavaScript. */
function modulesOf({ name, exports = {} }: Manifest): string[] {
  return Object.entries(exports)
    .filter(([, target]) => (typeof target === 'string' ? target : target.default)?.endsWith('.js'))
    .map(([subpath]) => join(name, subpath));
}

async function runInProject(script: string, ...args: string[]): Promise<string> {
  const flags = ['--no-warnings', '--input-type=module', '-e', script, ...args];
  return await runCommand(process.execPath, flags, { cwd: project });
}

test('a tarball contains what the package needs at run time and nothing else', () => {
  for (const { name, contents } of tarballs) {
    const allowed = [...CONTENTS, MORE_CONTENTS[name] ?? []].flat();
    expect(
      contents.filter((path) => !allowed.some((pattern) => pattern.test(path))),
      `unexpected in ${name}`,
    ).toEqual([]);
    expect(contents).toEqual(expect.arrayContaining(['LICENSE', 'package.json']));
  }
});

test('every export subpath can be imported and required, with the names that are pinned', slow, async () => {
  const script = `
    import { createRequire } from 'node:module';
    const require = createRequire(process.cwd() + '/index.js');
    const names = (module) => Object.keys(module).filter((name) => !/^(__esModule|module\\.exports)$/.test(name)).sort();
    const exports = {}, failures = {};
    for (const specifier of process.argv.slice(1)) {
      try {
        const imported = names(await import(specifier));
        const required = names(require(specifier));
        if (required.join() === imported.join()) exports[specifier] = imported;
        else failures[specifier] = 'gives other names when required: ' + required;
      } catch (error) {
        failures[specifier] = String(error);
      }
    }
    process.stdout.write(JSON.stringify({ exports, failures }));
  `;
  const { exports, failures } = JSON.parse(await runInProject(script, ...modules));
  if (process.env.UPDATE_EXPORTS === '1') await pin(exports);
  else
    expect(exports, 'after a wanted change: UPDATE_EXPORTS=1 npm test -- published-packages').toEqual(
      pinnedExports,
    );
  expect(failures).toEqual({});
});

async function pin(found: unknown): Promise<void> {
  const file = join(import.meta.dirname, 'exports.ts');
  const head = '// Written by: UPDATE_EXPORTS=1 npm test -- published-packages\n';
  writeFileSync(
    file,
    `${head}export const pinnedExports: Record<string, string[]> = ${JSON.stringify(found)};\n`,
  );
  await runCommand(join(root, 'node_modules/.bin/biome'), ['check', '--write', file], { cwd: root });
}

test('the types of every export subpath resolve in a strict project of the user', slow, async () => {
  const imports = modules.map((specifier, index) => `export * as m${index} from '${specifier}';`);
  writeFileSync(join(project, 'user.ts'), imports.join('\n'));
  const compilerOptions = {
    ...{
      target: 'es2023',
      lib: ['es2024', 'dom', 'dom.iterable', 'dom.asynciterable'],
      strict: true,
      noEmit: true,
    },
    ...{ module: 'nodenext', types: ['node'], typeRoots: [join(root, 'node_modules/@types')] },
  };
  writeFileSync(join(project, 'tsconfig.json'), JSON.stringify({ compilerOptions, files: ['user.ts'] }));
  // Without skipLibCheck: with it, a type whose module is not found would silently be `any`. Errors in the declarations of other
  // projects are ignored.
  const foreign = /^node_modules\/(?!@tallystick\/|tallystick\/)/;
  const complaints = (await typeCheck()).filter(
    (line) => / error TS\d+: |^error /.test(line) && !foreign.test(line),
  );
  expect(complaints).toEqual([]);
});

async function typeCheck(): Promise<string[]> {
  try {
    await runCommand(join(root, 'node_modules/.bin/tsc'), ['-p', project], { cwd: project });
    return [];
  } catch (error) {
    return (error as { stdout: string }).stdout.split('\n');
  }
}

test('every command starts from its installed package and prints its version', slow, async () => {
  for (const { bin = {}, version } of manifests) {
    for (const command of Object.keys(bin)) {
      const path = join(project, 'node_modules/.bin', command);
      const printed = await runCommand(process.execPath, [path, '--version'], { cwd: project });
      expect(printed).toContain(version);
    }
  }
});

// The documents told readers to install packages that are not published, and nothing followed them with what can be installed.
test('the README works with tarballs in an empty project', slow, async () => {
  const [install] = shellLines('README.md', 'npm install /');
  const place = dirname(tarballs[0]!.file);
  const path = join(dir.path, 'readme');
  makeProject(path);
  const command = install!.replace('/path/to/checkout/tarballs', place);
  await runCommand('sh', ['-c', `${command} ${quiet.join(' ')}`], { cwd: path });
  const [embedded] = blocksOf('README.md', 'ts');
  expect(await runProgram(path, embedded!)).toMatch(/chained as record 2 of acme/);
  expect(shellLines('README.md', 'npx ')).toContain('npx tallystick dev');
  await using dev = await startDev(path);
  const env = { ...process.env, ...dev.env, XDG_CONFIG_HOME: join(path, 'config') };
  const withPath = { ...env, PATH: `${join(path, 'node_modules/.bin')}:${process.env.PATH}` };
  const run = (line: string) => runCommand('sh', ['-c', line], { cwd: path, env: withPath });
  mkdirSync(join(path, 'logs'));
  const fixture = readFileSync(join(root, 'packages/cli/test/fixtures/cloudtrail.json.txt'));
  writeFileSync(join(path, 'logs/trail.json.gz'), gzipSync(fixture));
  const lines = ['emit', 'import', 'events', 'verify'].flatMap((name) =>
    shellLines('README.md', `tally ${name} --`).filter(
      (line) => line.includes('--tenant acme') && !line.includes('--data'),
    ),
  );
  expect(lines.length).toBeGreaterThanOrEqual(4);
  for (const line of [...lines, ...shellLines('README.md', 'curl ')]) await run(line);
  const [pinned] = JSON.parse(
    `[${(await run('tally log-keys list --json')).trim().split('\n').join(',')}]`,
  ).flat();
  const [exported] = shellLines('README.md', 'tally export ');
  expect(exported).toContain("--key '…'");
  expect(await run(exported!.replace('…', pinned.key))).toMatch(/verified {2}acme/);
});

test("the SDK's guides work with its tarballs alone in an empty project", slow, async () => {
  const file = (name: string) => tarballs.find((each) => each.name === name)!.file;
  const ofSdk = ['@tallystick/sdk', '@tallystick/protocol', '@tallystick/event'].map(file);
  const [start] = shellLines('docs/sdk/start.md', 'npm i ');
  const [kafka] = shellLines('docs/sdk/kafka.md', 'npm i ');
  expect([start, kafka]).toEqual(['npm i @tallystick/sdk', 'npm i @tallystick/sdk @platformatic/kafka']);
  const path = join(dir.path, 'sdk');
  makeProject(path);
  await npm(['install', ...ofSdk], path);
  const [first] = blocksOf('docs/sdk/start.md', 'ts');
  await using dev = await startDev(project);
  expect(await runProgram(path, first!, dev.env)).toMatch(/^record 1 of acme$/m);
  await npm(['install', ...ofSdk, '@platformatic/kafka'], path);
  expect(
    await runProgram(
      path,
      "import { kafkaTransport } from '@tallystick/sdk/kafka'; console.log(typeof kafkaTransport)",
    ),
  ).toBe('function\n');
});
