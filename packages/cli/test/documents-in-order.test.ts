import { cpSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { type Postgres, prepareEmbeddedStore, runSnippet, startPostgres, tempDir } from '@tallystick/testing';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { readKnownLogs } from '../src/trust/known-logs.ts';
import { FollowedDocument } from './followed-document.ts';
import { type Ran, tally } from './run-tally.ts';
import { type Serving, startServing } from './serving.ts';

/**
 * A reader follows the documents one after another on one machine, with one configuration. Two of them used the same log name
 * for two logs, so the second one looked like an impostor. Nothing may alarm or warn. The tests run in order.
 */
vi.setConfig({ testTimeout: 180_000, hookTimeout: 180_000 });
const root = resolve(import.meta.dirname, '../../..');
const dir = tempDir();
const env: { [name: string]: string } = { XDG_CONFIG_HOME: join(dir.path, 'config') };
const running: Serving[] = [];
let postgres: Postgres | undefined;

beforeAll(async () => {
  postgres = await startPostgres();
});
afterAll(async () => {
  for (const serving of running) await serving.stop();
  await postgres?.stop();
  dir.remove();
});

const blocksOf = (document: string, language: string) =>
  Array.from(
    readFileSync(join(root, document), 'utf8').matchAll(
      new RegExp(`^\`\`\`${language}\n(.*?)^\`\`\`$`, 'gms'),
    ),
    ([, block]) => block!,
  );

/** The lines of a document's shell blocks that run this command of `tally`, with what the reader fills in. */
const linesOf = (document: string, command: string, fill: (line: string) => string = (line) => line) =>
  blocksOf(document, 'sh')
    .flatMap((block) => block.replaceAll('\\\n', '').split(/\n| && /))
    .filter((line) => line.startsWith(`tally ${command}`))
    .map((line) => fill(line).split(/ +/).slice(1));

/** Runs a command line, which must succeed without any alarm or warning. */
async function follow(args: readonly string[], more: { readonly [name: string]: string } = {}): Promise<Ran> {
  const ran = await tally(args, { cwd: dir.path, env: { ...env, ...more } });
  expect(ran, args.join(' ')).toMatchObject({
    exitCode: 0,
    stderr: expect.not.stringMatching(/warning:|error:/),
  });
  return ran;
}

/** Runs all of these command lines, which must exist. */
async function followAll(
  lines: readonly (readonly string[])[],
  more?: { readonly [name: string]: string },
): Promise<void> {
  expect(lines.length).toBeGreaterThan(0);
  for (const line of lines) await follow(line, more);
}

async function start(args: readonly string[]): Promise<Serving> {
  const serving = await startServing(args, { cwd: dir.path, env });
  running.push(serving);
  return serving;
}

test('README: an embedded store, which the command line opens', async () => {
  await prepareEmbeddedStore(join(dir.path, 'audit'));
  const [program] = blocksOf('README.md', 'ts');
  expect(await runSnippet(program!, { cwd: dir.path, env: { ...process.env, ...env } })).toContain(
    'delivered: 2',
  );
  const onStore = (command: string) =>
    linesOf('README.md', command).filter((line) => line.includes('--data'));
  await followAll([...onStore('events'), ...onStore('verify')]);
});

test('packages/server/README.md: a service inside an application', async () => {
  await prepareEmbeddedStore(join(dir.path, 'trail'));
  const [program] = blocksOf('packages/server/README.md', 'ts');
  expect(await runSnippet(program!, { cwd: dir.path, env: { ...process.env, ...env } })).toContain('200');
  await follow(['emit', '--data', 'trail', '--tenant', 'acme', '--type', 'a.b', '--actor', 'a']);
  await follow(['verify', '--data', 'trail']);
});

describe('a service for development', () => {
  let dev: { readonly [name: string]: string };

  beforeAll(async () => {
    await prepareEmbeddedStore(join(dir.path, '.tallystick'));
    const { url, key } = await start(['dev', '--port', '0']);
    dev = { TALLYSTICK_URL: url, TALLYSTICK_API_KEY: key! };
    cpSync(join(import.meta.dirname, 'fixtures/cloudtrail.json.txt'), join(dir.path, 'trail.json'));
  });

  test('docs/sdk/start.md: the first event', async () => {
    const [program] = blocksOf('docs/sdk/start.md', 'ts');
    const stdout = await runSnippet(program!, { cwd: dir.path, env: { ...process.env, ...env, ...dev } });
    expect(stdout).toContain('record 1 of acme');
    await follow(['events', '--tenant', 'acme'], dev);
    await follow(['verify', '--tenant', 'acme'], dev);
  });

  test('README: write, import, list, verify, export, verify the export', async () => {
    const fill = (line: string) => line.replace('logs/*.json.gz', 'trail.json');
    for (const command of ['emit', 'import', 'events', 'verify', 'export']) {
      const lines = linesOf('README.md', command, fill).filter(
        (line) => !line.includes('--data') && !line.includes("'…'"),
      );
      await followAll(lines, dev);
    }
    const [exported] = linesOf('README.md', 'verify').filter((line) => line.includes("'…'"));
    const key = [...readKnownLogs(env).values()].find(
      ({ origin, pin }) => origin.endsWith('/acme/1') && pin?.from === dev.TALLYSTICK_URL,
    )!.pin!.key;
    await follow(exported!.map((word) => (word === "'…'" ? key : word)));
  });
});

describe('a service on PostgreSQL', () => {
  let production: { readonly [name: string]: string };
  let url: string;
  let serve: readonly string[];

  test('docs/production.md: roles, migration, first key, service', async () => {
    const admin = new pg.Client({ connectionString: postgres!.adminUrl });
    await admin.connect();
    try {
      const [roles] = blocksOf('docs/production.md', 'sql');
      for (const statement of roles!.replaceAll('…', 'word').split(';\n').filter(Boolean))
        await admin.query(statement);
    } finally {
      await admin.end();
    }
    const { host } = new URL(postgres!.adminUrl);
    const fill = (line: string) =>
      line
        .replaceAll(':…@db/', `:word@${host}/`)
        .replaceAll('/var/lib/tallystick', dir.path)
        .replace('--host 0.0.0.0', '--host 127.0.0.1 --port 0');
    await followAll(linesOf('docs/production.md', 'migrate', fill));
    const [makeKey, serveLine] = linesOf('docs/production.md', 'serve', fill);
    serve = serveLine!;
    const key = (await follow(makeKey!)).stdout.trim();
    ({ url } = await start(serve));
    production = { TALLYSTICK_URL: url, TALLYSTICK_API_KEY: key };
    await follow(['emit', '--tenant', 'acme', '--type', 'a.b', '--actor', 'a'], production);
  });

  test('docs/verify.md: the service, then with a checkpoint that was kept', async () => {
    const fill = (line: string) => line.replace('https://audit.example.com', url);
    const onService = (command: string) =>
      linesOf('docs/verify.md', command, fill).filter((line) => line.includes('--server'));
    const [first, withCheckpoint] = onService('verify');
    await follow(first!, production);
    await followAll(onService('log-keys trust'), production);
    await follow(['checkpoint', '--tenant', 'acme', '-o', 'acme.checkpoint'], production);
    await follow(withCheckpoint!, production);
  });

  test('and everything can be verified again', async () => {
    for (const data of ['audit', 'trail']) await follow(['verify', '--data', data]);
    // Each of the four stores has its own log of this tenant.
    expect([...readKnownLogs(env).keys()].filter((origin) => origin.includes('/acme/'))).toHaveLength(4);
  });

  /** The one document whose reader has an alarm: the database is set back, and then has a planted row. */
  describe('docs/recovery.md', () => {
    const guide = new FollowedDocument('docs/recovery.md');
    const events = [1, 2, 3, 4].map((n) =>
      JSON.stringify({
        audit_id: `0190a1b2-0000-7000-8000-00000000000${n}`,
        tenant_id: 'acme',
        timestamp: '2026-01-02T03:04:05.678Z',
        event_type: 'access.granted',
        actor_type: 'user',
        actor_id: `actor-${n}`,
        source_service: 'test',
      }),
    );
    let operator: { readonly [name: string]: string };
    const run = (args: readonly string[], stdin = '') =>
      tally(args, { cwd: dir.path, env: { ...env, ...operator }, stdin });
    const verify = () => run(['verify', '--tenant', 'acme']);

    async function asSuperuser(statements: readonly string[], database = 'postgres'): Promise<void> {
      const address = new URL(postgres!.adminUrl);
      address.pathname = database;
      const admin = new pg.Client({ connectionString: address.href });
      await admin.connect();
      try {
        for (const statement of statements) await admin.query(statement);
      } finally {
        await admin.end();
      }
    }

    /** Ends the service, works on the database, and starts the service again. */
    async function whileStopped(work?: () => Promise<void>): Promise<void> {
      await running.pop()!.stop();
      await work?.();
      ({ url } = await start(serve));
      operator = { ...operator, TALLYSTICK_URL: url };
    }

    beforeAll(async () => {
      const { host } = new URL(postgres!.adminUrl);
      operator = {
        ...production,
        TALLYSTICK_DATABASE_URL: `postgres://tally_service:word@${host}/audit`,
        TALLYSTICK_OWNER_URL: `postgres://tally_owner:word@${host}/audit`,
        TALLYSTICK_SIGNER_DIR: join(dir.path, 'signer'),
        TALLYSTICK_LOG_NAME: 'audit.example.com',
      };
      expect(await run(['emit'], events.slice(0, 2).join('\n'))).toMatchObject({ exitCode: 0 });
      await whileStopped(() => asSuperuser(['create database backup template audit owner tally_owner']));
      expect(await run(['emit'], events.slice(2).join('\n'))).toMatchObject({ exitCode: 0 });
      expect((await verify()).stdout).toContain('✔ verified  acme');
    });

    test('a clock that is behind: the command finds nothing to chain', async () => {
      expect(await run(guide.next('tally dlq retry'))).toMatchObject({
        exitCode: 0,
        stderr: expect.stringContaining('no open dead letters'),
      });
    });

    test('a restored database stops the chain, and its events become dead letters', async () => {
      await whileStopped(() =>
        asSuperuser(['drop database audit with (force)', 'alter database backup rename to audit']),
      );
      expect(await verify()).toMatchObject({ exitCode: 1, stdout: expect.stringContaining('BROKEN  acme') });
      const ready = await fetch(`${url}/ready`);
      expect([ready.status, await ready.json()]).toMatchObject([200, { status: 'degraded' }]);
      expect((await run(['emit'], events[2])).exitCode).not.toBe(0);
      expect((await run(['dlq', 'list'])).stdout).toContain('CHAIN_STOPPED');
    });

    test('the recovery is shown, and then opens a new epoch', async () => {
      const shown = await run(guide.next('tally recover'));
      expect(shown).toMatchObject({
        exitCode: 0,
        stdout: expect.stringMatching(/^acme +\d+ +\d+ +2 +\d+ records were signed, the store has \d+$/m),
        stderr: expect.stringContaining('nothing was changed'),
      });
      expect(await run(guide.next('tally recover --yes'))).toMatchObject({
        exitCode: 0,
        stdout: 'acme: began epoch 2, audit.example.com/acme/2\n',
      });
    });

    test('lost events are delivered again, and dead letters are chained', async () => {
      await whileStopped();
      const sent = await run(['emit'], events.filter((_, index) => index !== 2).join('\n'));
      expect(sent.exitCode).toBe(0);
      expect(await run(guide.next('tally dlq retry'))).toMatchObject({
        exitCode: 0,
        stdout: expect.stringMatching(/ chained as acme #\d+\n$/),
      });
      expect((await verify()).stdout).toContain('✔ recovered  acme');
      const listed = (await run(['events', '--tenant', 'acme', '--type', 'access.granted', '--json'])).json();
      expect(listed).toHaveLength(4);
    });

    test('planted rows are listed and removed', async () => {
      await asSuperuser(
        [
          'set session_replication_role = replica',
          `insert into audit_records
             select tenant_id, 7, 12, '00000000-0000-4000-8000-000000000007', ingested_at, "timestamp", event_type, event_category, severity,
                    actor_type, actor_id, target_type, target_id, investigation_id, alert_id, correlation_id, trace_id, outcome_status,
                    source_service, is_sensitive, previous_hash, record_hash, record
               from audit_records where tenant_id = 'acme' and epoch = 2 and sequence_number = 1`,
        ],
        'audit',
      );
      expect((await run(guide.next('tally strays'))).stdout).toMatch(/acme +record +7 +12 /);
      expect(await run(guide.next('tally strays --yes'))).toMatchObject({
        exitCode: 0,
        stdout: expect.stringContaining('removed 1 rows'),
      });
      await whileStopped();
      expect((await verify()).stdout).toContain('✔ recovered  acme');
    });

    test('every command of the document was carried out', () => {
      expect([guide.left, guide.reasons]).toEqual([[], []]);
    });
  });
});
