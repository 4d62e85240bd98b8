import { execFileSync, spawn } from 'node:child_process';
import { copyFileSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { largeRemovalMs, tempDir } from '@tallystick/testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { packAll } from '../../../scripts/pack.ts';
import { auditServer } from './support/audit-server.ts';
import { skipWithout } from './support/parts.ts';
import { installed, type Runtime, runtimes } from './support/runtimes.ts';

const ours: Runtime = { name: `Node ${process.versions.node}`, spec: '', path: '', args: [] };
const manifest = JSON.parse(readFileSync(join(import.meta.dirname, '../package.json'), 'utf8')) as {
  exports: Record<string, unknown>;
};
/** Every entry point that needs nothing but the SDK. */
const subpaths = Object.keys(manifest.exports)
  .filter((path) => !['./drizzle', './kafka', './package.json'].includes(path))
  .map((path) => `@tallystick/sdk${path.slice(1)}`);
/** This entry point needs a package that is not installed in the project. */
const kafka = '@tallystick/sdk/kafka';
/** Like the one above, it can't be imported without its library. */
const drizzle = '@tallystick/sdk/drizzle';

const directory = tempDir();
const project = join(directory.path, 'project');
let server: Awaited<ReturnType<typeof auditServer>>;

beforeAll(async () => {
  const tarballs = packAll(join(directory.path, 'tarballs')).filter(({ name }) =>
    /\/(sdk|event|protocol)$/.test(name),
  );
  mkdirSync(project);
  writeFileSync(join(project, 'package.json'), '{"private":true}');
  const quiet = ['--offline', '--no-audit', '--no-fund', '--loglevel=error'];
  execFileSync('npm', ['install', ...tarballs.map(({ file }) => file), ...quiet], {
    cwd: project,
    stdio: 'pipe',
  });
  const shared = 'emit-everywhere';
  copyFileSync(join(import.meta.dirname, `support/${shared}.js`), join(project, `${shared}.mjs`));
  const call = (load: string) =>
    `emitEverywhere(${load}, process.env.AUDIT_URL, process.env.SPOOL).then((result) => console.log(JSON.stringify(result)));`;
  const programs = {
    'import.mjs': `import { emitEverywhere } from './${shared}.mjs'; ${call('(name) => import(name)')}`,
    'require.cjs': `const { emitEverywhere } = require('./${shared}.mjs'); ${call('require')}`,
    'no-close.mjs': `
      import { createAuditEmitter } from '@tallystick/sdk';
      createAuditEmitter().emit({ tenantId: 'acme', eventType: 'left.behind', actorType: 'user', actorId: 'u' });`,
    'page.mjs': `import { createAuditEmitter } from '@tallystick/sdk'; console.log(createAuditEmitter);`,
  };
  for (const [name, source] of Object.entries(programs)) writeFileSync(join(project, name), source);
  server = await auditServer();
}, 300_000);
afterAll(async () => {
  await server.close();
  await directory.removeLarge();
}, largeRemovalMs);

async function run(program: string, args: readonly string[]) {
  const env = {
    ...process.env,
    ...{
      NODE_OPTIONS: '',
      NODE_NO_WARNINGS: '1',
      DENO_NO_UPDATE_CHECK: '1',
      DENO_DIR: join(directory.path, 'deno'),
    },
    ...{
      AUDIT_URL: server.url,
      TALLYSTICK_URL: server.url,
      SPOOL: join(directory.path, `spool-${Math.random()}`),
    },
  };
  const child = spawn(program, args, { cwd: project, env, stdio: ['ignore', 'pipe', 'pipe'] });
  const ended = new Promise<number | null>((done) => child.on('close', done));
  const [output, complaints] = await Promise.all([text(child.stdout), text(child.stderr)]);
  return { code: await ended, output, complaints };
}

describe.each([ours, ...runtimes])('$name', (runtime) => {
  const program = (context: Parameters<typeof skipWithout>[0]) => {
    if (runtime === ours) return process.execPath;
    try {
      return installed(runtime);
    } catch (error) {
      return skipWithout(context, runtime.name, `npm i ${runtime.spec}: ${String(error).split('\n')[0]}`);
    }
  };

  for (const script of ['import.mjs', 'require.cjs']) {
    test(`${script}: memory, HTTP, spool and test kit`, async (context) => {
      const before = server.received.length;
      const { code, output, complaints } = await run(program(context), [...runtime.args, script]);
      expect([code, complaints]).toEqual([0, '']);
      expect(JSON.parse(output)).toMatchObject({
        refusal: 'FIELD_REQUIRED',
        memory: { emitted: 1, delivered: 1 },
        receipt: 36,
        http: { emitted: 501, delivered: 501 },
        spooled: { left: 1, delivered: 1 },
        errors: [],
      });
      const requests = server.received.slice(before);
      const { body, headers } = requests.find((request) => request.body.events.length > 100)!;
      expect(headers['content-encoding']).toBe('gzip');
      expect(body.events[0]).toMatchObject({ tenant_id: 'acme', context: { note: 'Grüße' } });
      expect(requests.at(-1)!.body.delivery.final).toEqual([{ tenant_id: 'acme', final_seq: 501 }]);
    }, 300_000);
  }

  test('a script that ends without close() delivers its events', async (context) => {
    const before = server.received.length;
    const { code, complaints } = await run(program(context), [...runtime.args, 'no-close.mjs']);
    expect([code, complaints]).toEqual([0, '']);
    const events = server.received.slice(before).flatMap((request) => request.body.events);
    expect(events).toMatchObject([{ event_type: 'left.behind' }]);
  }, 300_000);
});

describe('in a browser', () => {
  test('importing any entry point throws an error that gives the reason', async () => {
    for (const name of [...subpaths, kafka, drizzle]) {
      const script = `await import('${name}')`;
      const { code, complaints } = await run(process.execPath, [
        ...['--conditions=browser', '--input-type=module', '--eval', script],
      ]);
      expect([name, code, complaints]).toEqual([
        name,
        1,
        expect.stringContaining('does not run in a browser'),
      ]);
    }
  }, 60_000);

  test('every export exists, so that no bundler reports a missing one', async () => {
    const script = `
      const names = [];
      for (const name of ${JSON.stringify(subpaths)}) names.push(...Object.keys(await import(name)));
      console.log(JSON.stringify(names));`;
    const { output } = await run(process.execPath, ['--input-type=module', '--eval', script]);
    const dist = (file: string) =>
      readFileSync(join(project, 'node_modules/@tallystick/sdk/dist', file), 'utf8');
    const source = dist('browser.js');
    const refused = Array.from(source.matchAll(/^export (?:const )?(\w+)/gm), ([, name]) => name!);
    const ofKafka = Array.from(
      dist('kafka.js').matchAll(/^export \{(.*)\} from/gm),
      ([, names]) => names!.match(/\w+/g)!,
    );
    const ofDrizzle = Array.from(
      dist('integrations/drizzle.js').matchAll(/^export (?:async )?(?:function|class) (\w+)/gm),
      ([, name]) => name!,
    );
    const names = new Set([...(JSON.parse(output) as string[]), ...ofKafka.flat(), ...ofDrizzle]);
    expect(refused.toSorted()).toEqual([...names].toSorted());
  });

  test('a bundled page throws the same error', async (context) => {
    const bun = runtimes.find(({ name }) => name === 'Bun')!;
    let program: string;
    try {
      program = installed(bun);
    } catch {
      return skipWithout(context, bun.name, `npm i ${bun.spec}`);
    }
    const built = await run(program, [
      'build',
      'page.mjs',
      '--target=browser',
      '--minify',
      '--outfile=page.js',
    ]);
    expect([built.code, built.complaints]).toEqual([0, '']);
    const { code, complaints } = await run(process.execPath, ['page.js']);
    expect([code, complaints]).toEqual([1, expect.stringContaining('does not run in a browser')]);
  }, 300_000);
});

describe('in an edge runtime', () => {
  test('what the built entry imports is no module of Node.js, and no other package', () => {
    const modules = join(project, 'node_modules/@tallystick');
    const entries: Record<string, string> = {
      '@tallystick/event': join(modules, 'event/dist/index.js'),
      '@tallystick/event/redaction': join(modules, 'event/dist/redaction/index.js'),
      '@tallystick/protocol': join(modules, 'protocol/dist/index.js'),
    };
    const found = new Set([join(modules, 'sdk/dist/fetch/index.js')]);
    // A set yields what is added to it while it is read.
    for (const file of found) {
      const source = readFileSync(file, 'utf8');
      for (const [, name] of source.matchAll(
        /^(?:import|export)\s(?:[^;'"]*?\sfrom\s)?['"]([^'"]+)['"];$/gm,
      )) {
        const target = name!.startsWith('.') ? join(file, '..', name!) : entries[name!];
        expect(target, `${file} imports ${name}`).toBeDefined();
        found.add(target!);
      }
    }
    expect(found.size).toBeGreaterThan(40);
  });

  test('bundlers for Workers find the emitter, and those for browsers the error', async () => {
    const script = `const { createFetchEmitter } = await import('@tallystick/sdk/fetch'); console.log(typeof createFetchEmitter)`;
    const { code, output } = await run(process.execPath, [
      ...['--conditions=workerd', '--conditions=browser', '--input-type=module', '--eval', script],
    ]);
    expect([code, output]).toEqual([0, 'function\n']);
  });
});

describe('an installation', () => {
  const modules = join(project, 'node_modules');

  test('has three packages: no server, no validation library, no native code', () => {
    expect(readdirSync(modules).filter((name) => !name.startsWith('.'))).toEqual(['@tallystick']);
    expect(readdirSync(join(modules, '@tallystick')).toSorted()).toEqual(['event', 'protocol', 'sdk']);
  });

  test('without the Kafka client, the error of the Kafka transport names the missing package', async () => {
    const script = `await import('${kafka}')`;
    const { code, complaints } = await run(process.execPath, ['--input-type=module', '--eval', script]);
    expect([code, complaints]).toEqual([
      1,
      expect.stringContaining("Cannot find package '@platformatic/kafka' imported from"),
    ]);
  });

  test('is no larger than the README says', () => {
    const bytes = readdirSync(join(modules, '@tallystick'), { recursive: true, encoding: 'utf8' })
      .map((path) => statSync(join(modules, '@tallystick', path)))
      .reduce((sum, file) => sum + (file.isFile() ? file.size : 0), 0);
    const readme = readFileSync(join(import.meta.dirname, '../README.md'), 'utf8');
    const stated = Number(/less than\s+(\d+) kB/.exec(readme)?.[1]);
    expect(bytes / 1000).toBeLessThan(stated);
  });
});
