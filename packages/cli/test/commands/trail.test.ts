import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { tempDir } from '@tallystick/testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { fixture } from '../import/map-fixture.ts';
import { type RunOptions, tally } from '../run-tally.ts';
import { openService, type Service } from './service.ts';

/** Every command on a service over HTTP, and then on the store of the service, which the command opens itself. */
const dir = tempDir();
const data = join(dir.path, 'store');
const env = { XDG_CONFIG_HOME: join(dir.path, 'config') };
let service: Service;

beforeAll(async () => {
  service = await openService(data);
});
afterAll(async () => {
  await service.close();
  dir.remove();
});

const run = (args: string, options: RunOptions = {}) =>
  tally(args.split(' '), {
    cwd: dir.path,
    ...options,
    env: {
      ...env,
      ...service.env,
      TALLYSTICK_TENANT: 'acme',
      ...options.env,
    },
  });
const inFile = (name: string, content: Uint8Array | string) => {
  writeFileSync(join(dir.path, name), content);
  return name;
};

describe('a service', () => {
  test('emit gives a receipt, and a second time the same one', async () => {
    const first = await run(
      'emit --type content.publish --actor agent:writer --target post:17 --outcome success --json',
    );
    expect(first.exitCode).toBe(0);
    expect(first.json()).toMatchObject([
      { index: 0, status: 'chained', receipt: { tenant_id: 'acme', sequence_number: 1 } },
    ]);
    const event = (await run('events --type content.publish --json')).json()[0] as { audit_id: string };
    expect(event).toMatchObject({
      actor_type: 'agent',
      actor_id: 'writer',
      target_id: '17',
      source_service: 'tally-cli',
    });
    const again = JSON.stringify({
      audit_id: event.audit_id,
      timestamp: (event as { timestamp?: string }).timestamp,
      event_type: 'content.publish',
      actor_type: 'agent',
      actor_id: 'writer',
      target_type: 'post',
      target_id: '17',
      outcome: { outcome_status: 'success' },
    });
    expect((await run('emit --json', { stdin: again })).json()).toMatchObject([
      { status: 'duplicate', receipt: { sequence_number: 1 } },
    ]);
  });

  test('emit says for whom the actor acted, and from where', async () => {
    const args = 'emit --type page.archived --actor agent:writer --source-ip 2001:db8::7';
    const { exitCode } = await run(`${args} --on-behalf-of agent:planner maria`);
    expect(exitCode).toBe(0);
    expect((await run('events --type page.archived --json')).json()).toMatchObject([
      {
        source_ip: '2001:db8::7',
        on_behalf_of: [
          { actor_type: 'agent', actor_id: 'planner' },
          { actor_type: 'user', actor_id: 'maria' },
        ],
      },
    ]);
  });

  test('a refused event is reported with its reason, and the others are chained', async () => {
    const event = (type: string) => `{"event_type":"${type}","actor_type":"user","actor_id":"arn:aws:x"}\n`;
    const { stdout, stderr, exitCode } = await run('emit', {
      stdin: event('a.b') + event('delivery.gap') + event('a.c'),
    });
    expect(stdout.match(/^chained {2}acme #\d/gm)).toHaveLength(2);
    expect(stderr).toContain(
      'event 1 was refused: /event_type is reserved for the audit service (EVENT_TYPE_RESERVED)',
    );
    expect(exitCode).toBe(1);
  });

  test('import: 3, then 3 duplicates', async () => {
    const file = inFile('audit.log', fixture('k8s-three-stages.jsonl'));
    const args = `import --format k8s-audit ${file}`;
    expect((await run(args)).stdout).toBe('3 imported, 0 duplicate, 0 rejected\n');
    expect((await run(`${args} --json`)).json()).toEqual([
      { files: 1, events: 3, imported: 0, duplicate: 3, rejected: 0, bytes: 4036 },
    ]);
    const events = (await run('events --type k8s.* --oldest --json')).json() as {
      event_data: { source_payload: { original: string } };
    }[];
    const originals = events.map((event) => `${event.event_data.source_payload.original}\n`);
    expect(originals.join('')).toBe(fixture('k8s-three-stages.jsonl').toString());
  });

  test('events are listed, filtered and paged', async () => {
    const table = await run('events --outcome success', { tty: true, env: { NO_COLOR: '1' } });
    expect(table.stdout).toMatch(/^SEQ +TIME +TYPE +ACTOR +TARGET +OUTCOME\n/);
    expect(table.stdout).toContain('k8s.deployments.create');
    const two = await run('events -n 2');
    expect(two.stdout.trimEnd().split('\n')).toHaveLength(3);
    expect(two.stderr).toContain('there are more events: --limit or --all lists them');
    expect((await run('events --all --json')).json().length).toBeGreaterThan(5);
    expect((await run('events --actor nobody')).stderr).toBe('no events\n');
  });

  test('show shows an event, or says that it does not exist', async () => {
    const [event] = (await run('events -n 1 --type content.publish --json')).json() as { audit_id: string }[];
    expect((await run(`show ${event!.audit_id}`)).stdout).toContain('content.publish');
    expect((await run(`show ${event!.audit_id} --json`)).json()).toMatchObject([
      { audit_id: event!.audit_id },
    ]);
    const none = await run('show 00000000-0000-7000-8000-000000000000');
    expect(none.stderr).toContain('(NOT_FOUND)');
    expect(none.exitCode).toBe(2);
  });

  test('show takes the number of an event in the chain, which the list shows', async () => {
    expect((await run('show 1 --json')).json()).toMatchObject([{ sequence_number: 1 }]);
    expect(await run('show 99999')).toMatchObject({
      exitCode: 2,
      stderr: 'error: acme has no record 99999 (NOT_FOUND)\n',
    });
    const misspelt = await run('show 4x');
    expect(misspelt.exitCode).toBe(3);
    expect(misspelt.stderr).toContain('hint: tally events lists both: SEQ and ID');
  });

  test('a list in a pipe is not cut, and has the ids', async () => {
    const actor = `robot-${'x'.repeat(150)}`;
    const emitted = await run(`emit --type long.name --actor ${actor} --json`);
    const [{ receipt }] = emitted.json() as [{ receipt: { audit_id: string } }];
    const { stdout } = await run('events --type long.name');
    expect(stdout).toContain(actor);
    expect(stdout).toContain(receipt.audit_id);
  });

  test('times may be ages', async () => {
    expect((await run('events --from 1h --json')).json().length).toBeGreaterThan(0);
    expect((await run('events --type content.publish --to 1h')).stderr).toBe('no events\n');
    const tooLate = await run('tail --since 1h --type long.name --count 1');
    expect(tooLate.stdout).toMatch(/^ +SEQ +TIME +TYPE .*\n.*long\.name/);
    const key = await run(
      'api-keys create --name short --scope events:read --tenant acme --expires 30d --json',
    );
    const [{ id }] = key.json() as [{ id: string }];
    const keys = (await run('api-keys list --json')).json()[0] as { id: string; expires_at?: string }[];
    const days = (Date.parse(keys.find((each) => each.id === id)!.expires_at!) - Date.now()) / 86_400_000;
    expect(days).toBeCloseTo(30, 1);
  });

  test('tail prints events as they are chained', async () => {
    const tailing = run('tail --type tail.test --count 2 --json');
    for (let written = 0; written < 40 && !(await settled(tailing)); written++) {
      await run(`emit --type tail.test --actor n${written}`);
    }
    const ran = await tailing;
    expect(ran.exitCode).toBe(0);
    expect(ran.json()).toMatchObject([{ event_type: 'tail.test' }, { event_type: 'tail.test' }]);
  });

  test('verify pins the key at first use, and uses it from then on', async () => {
    const first = await run('verify');
    expect(first.stdout).toMatch(/^✔ verified {2}acme {2}\d+ records, signed up to #\d+\n/);
    expect(first.stderr).toContain('trusted at first use');
    const again = await run('verify --json');
    expect(again.stderr).toBe('');
    const report = again.json().at(-1);
    expect(report).toMatchObject({
      verdict: 'verified',
      tenant_id: 'acme',
      trust: { source: 'pinned' },
      findings: [],
    });
    expect((await run('log-keys list')).stdout).toContain('first use');
    expect((await run('log-keys trust')).stdout).toMatch(/^[\w./]+\/acme\/1\+/);
  });

  test('verify without a tenant verifies every tenant; an unknown tenant is not verifiable', async () => {
    const all = await run('verify --json', { env: { TALLYSTICK_TENANT: undefined } });
    expect(all.json()).toMatchObject([
      { tenant_id: 'acme', verdict: 'verified' },
      { tenant_id: 'tallystick', verdict: 'verified' },
    ]);
    const none = await run('verify --tenant nobody');
    expect(none.stderr).toContain('(NOT_FOUND)');
    expect(none.exitCode).toBe(2);
  });

  test('a bundle and a receipt are verified offline, with a trusted key', async () => {
    expect((await run('export -o trail.tally.gz')).stderr).toContain('wrote trail.tally.gz');
    expect((await run('export --first 1 --last 2 -o part.tally')).exitCode).toBe(0);
    expect((await run('receipt 1 -o receipt.txt')).exitCode).toBe(0);
    const offline = { env: { TALLYSTICK_URL: undefined, TALLYSTICK_API_KEY: undefined } };
    const stranger = { env: { ...offline.env, XDG_CONFIG_HOME: join(dir.path, 'nowhere') } };
    const key = (await run('log-keys list --json')).json()[0] as { key: string }[];
    for (const file of ['trail.tally.gz', 'part.tally', 'receipt.txt']) {
      const [verdict, code] = file === 'part.tally' ? ['verified_partial', 5] : ['verified', 0];
      expect((await run(`verify ${file}`, offline)).exitCode).toBe(code);
      const untrusted = await run(`verify ${file} --json`, stranger);
      expect(untrusted.json().at(-1)).toMatchObject({ verdict: 'not_verifiable', trust: { source: 'none' } });
      expect(untrusted.exitCode).toBe(2);
      const given = await run(`verify ${file} --key ${key[0]!.key} --json`, stranger);
      expect(given.json().at(-1)).toMatchObject({ verdict, trust: { source: 'given' } });
    }
    const part = readFileSync(join(dir.path, 'part.tally'), 'utf8');
    inFile('forged.tally', part.replace('content.publish', 'content.destroy'));
    const forged = await run('verify forged.tally', offline);
    expect(forged.exitCode).not.toBe(0);
    inFile('cut.tally', part.slice(0, -40));
    expect((await run('verify cut.tally --json', offline)).json()).toMatchObject([
      { verdict: 'not_verifiable', findings: [{ code: 'BUNDLE_TRUNCATED' }] },
    ]);
    inFile(
      'receipt-forged.txt',
      readFileSync(join(dir.path, 'receipt.txt'), 'utf8').replace('index 1', 'index 2'),
    );
    const receipt = await run('verify receipt-forged.txt --json', offline);
    expect(receipt.json()).toMatchObject([
      { verdict: 'broken', findings: [{ code: 'CHECKPOINT_ROOT_MISMATCH' }] },
    ]);
    expect(receipt.exitCode).toBe(1);
  });

  test('export as JSON lines', async () => {
    const { json } = await run('export --format jsonl --type k8s.*');
    expect(json()).toHaveLength(3);
    expect((await run('export --type k8s.*')).exitCode).toBe(3);
  });

  test('checkpoint is a signed note', async () => {
    const { stdout } = await run('checkpoint');
    expect(stdout).toMatch(/^[\w./]+\/acme\/1\n\d+\n\S+\n\n— /);
    expect((await run('checkpoint --json')).json()).toMatchObject([
      { origin: expect.stringContaining('/acme/1') },
    ]);
  });

  test('producers are listed with their open numbers, and can be settled', async () => {
    expect((await run('producers')).stderr).toContain('no events are missing from any producer');
    const producer = '019cb000-0000-7000-8000-0000000000aa';
    await service.submit({
      delivery: { producer_id: producer, service: 'cms', final: [{ tenant_id: 'acme', final_seq: 7 }] },
      events: [],
    });
    const listed = await run('producers');
    expect(listed.stdout).toMatch(/^TENANT +SERVICE +PRODUCER +STATE/);
    expect(listed.stdout).toContain('1–7');
    expect((await run('producers --json')).json()).toMatchObject([
      { producer_id: producer, state: 'open', open: [[1, 7]], final_seq: 7 },
    ]);
    expect((await run('producers --silent soon')).exitCode).toBe(3);

    expect((await run('producers settle')).exitCode).toBe(3);
    expect((await run('producers settle --reason gone')).stderr).toContain('say which producers');
    expect((await run(`producers settle ${producer} --reason gone`)).stderr).toContain(
      '0 accounts with 0 open numbers would be closed; add --yes to close them',
    );
    // The producer was active a moment ago: it counts as silent after a second.
    await expect
      .poll(async () => (await run('producers settle --older-than 0m --reason gone')).stderr, {
        timeout: 20_000,
      })
      .toContain('1 accounts with 7 open numbers would be closed');
    expect((await run('producers settle --older-than 0m --reason gone --yes --json')).json()).toEqual([
      { settled: true, accounts: 1, numbers: 7 },
    ]);
    expect((await run('producers')).stderr).toContain('no events are missing from any producer');
    expect((await run('events --type delivery.gap --json')).json()).toMatchObject([
      { target_id: producer, metadata: { from: 1, to: 7, reason: 'gone' } },
    ]);
  });

  test('tenants and API keys', async () => {
    expect((await run('tenants --json')).json()).toMatchObject([
      { tenant_id: 'acme', epoch: 1 },
      { tenant_id: 'tallystick', epoch: 1 },
    ]);
    const made = await run('api-keys create --name reader --scope events:read --tenant acme');
    expect(made.stdout).toMatch(/^tally_[0-9a-f_]+\n$/);
    const [keys] = (await run('api-keys list --json')).json() as {
      id: string;
      name: string;
      tenants: string[];
    }[][];
    const reader = keys!.find(({ name }) => name === 'reader')!;
    expect(reader.tenants).toEqual(['acme']);
    const asReader = { env: { TALLYSTICK_API_KEY: made.stdout.trim() } };
    expect((await run('events -n 1', asReader)).exitCode).toBe(0);
    expect((await run('events -n 1 --tenant other', asReader)).stderr).toContain('(UNAUTHORIZED)');
    expect((await run(`api-keys revoke ${reader.id}`)).exitCode).toBe(0);
    expect((await run('events -n 1', asReader)).exitCode).toBe(4);
    expect((await run('api-keys list')).stdout).toContain('revoked');
  });

  test('dead letters are listed, shown, retried and purged', async () => {
    const deadLetters = (await run('dlq list --json')).json() as { id: string; reason: string }[];
    expect(deadLetters).toMatchObject([{ reason: 'EVENT_TYPE_RESERVED' }]);
    const { id } = deadLetters[0]!;
    const shown = (await run(`dlq show ${id}`)).stdout;
    expect(shown).toContain('EVENT_TYPE_RESERVED');
    expect(shown).toMatch(/^raw +\{/m);
    expect(JSON.parse((await run(`dlq show ${id} --raw`)).stdout)).toMatchObject({ tenant_id: 'acme' });
    const retried = await run(`dlq retry ${id}`);
    expect(retried.stderr).toContain('refused again');
    expect(retried.exitCode).toBe(1);
    expect((await run('dlq retry --reason EVENT_TYPE_RESERVED')).stderr).toContain(`${id} was refused again`);
    expect((await run('dlq retry --older-than 1d')).stderr).toBe('no open dead letters\n');
    expect((await run('dlq retry')).exitCode).toBe(3);
    expect((await run('dlq purge')).exitCode).toBe(3);
    const counted = await run('dlq purge --older-than 0m');
    expect([counted.stdout, counted.stderr]).toEqual([
      '1  EVENT_TYPE_RESERVED\n',
      '1 would be erased; add --yes to erase them\n',
    ]);
    expect((await run(`dlq purge ${id} --yes`)).exitCode).toBe(0);
    expect((await run(`dlq purge ${id} --yes`)).exitCode).toBe(1);
    expect((await run(`dlq show ${id} --raw`)).exitCode).toBe(2);
    expect((await run('dlq list')).stderr).toBe('no open dead letters\n');
    const refused = '{"event_type":"delivery.gap","actor_type":"user","actor_id":"jane"}\n';
    await run('emit', { stdin: refused + refused });
    const one = await run('dlq retry --reason EVENT_TYPE_RESERVED --limit 1');
    expect(one.stderr.match(/was refused again/g)).toHaveLength(1);
    expect((await run('dlq retry --reason EVENT_TYPE_RESERVED')).stderr).toContain(
      '2 submitted again, 2 of them refused again',
    );
    expect((await run('dlq purge --reason EVENT_TYPE_RESERVED --yes')).exitCode).toBe(0);
  });

  test.each([
    ['no key', { TALLYSTICK_API_KEY: undefined }, 'give a valid API key', 4],
    ['a wrong key', { TALLYSTICK_API_KEY: 'tally_x' }, '(UNAUTHORIZED)', 4],
    ['no tenant', { TALLYSTICK_TENANT: undefined }, 'this command needs a tenant (USAGE)', 3],
    ['another address', { TALLYSTICK_URL: 'ftp://x' }, 'is not the address of a service', 3],
  ])('%s', async (_, given, message, exitCode) => {
    const ran = await run('events', { env: given });
    expect(ran.stderr).toContain(message);
    expect(ran.exitCode).toBe(exitCode);
  });

  test('another process can not open the store of a running service', async () => {
    const ran = await run(`events --data ${data}`);
    expect(ran.stderr).toContain('(STORE_UNAVAILABLE)');
    expect(ran.stderr).toContain('hint: if a service has the store open, call the service instead');
    expect(ran.exitCode).toBe(4);
  });
});

describe('the store of the service', () => {
  beforeAll(async () => {
    await service.close();
  });
  const local = (args: string, options: RunOptions = {}) =>
    run(`${args} --data ${data}`, {
      ...options,
      env: { TALLYSTICK_URL: undefined, TALLYSTICK_API_KEY: undefined },
    });

  test('gives the same results as the service, with the same pinned key', async () => {
    const events = (await local('events --type content.publish --json')).json();
    expect(events).toMatchObject([{ actor_id: 'writer', sequence_number: 1 }]);
    const emitted = await local('emit --type content.update --actor jane --json');
    expect(emitted.json()).toMatchObject([{ status: 'chained' }]);
    const verified = await local('verify --json');
    expect(verified.stderr).toBe('');
    expect(verified.json().at(-1)).toMatchObject({ verdict: 'verified', trust: { source: 'pinned' } });
  });

  test('gets no API key from the commands that open it', async () => {
    const [keys] = (await local('api-keys list --json')).json() as { name: string }[][];
    expect(keys!.map(({ name }) => name).sort()).toEqual(['reader', 'short', 'test']);
  });

  test('tampering is found and located', async () => {
    expect((await local('checkpoint -o kept.note')).exitCode).toBe(0);
    await service.tamper((session) =>
      session.query(
        `update audit_records set record = replace(record, 'jane', 'john') where event_type = 'content.update'`,
      ),
    );
    const { json, exitCode } = await local('verify --json --checkpoint kept.note');
    const report = json().at(-1) as { verdict: string; findings: { code: string }[] };
    expect(report.verdict).toBe('broken');
    expect(report.findings.map(({ code }) => code)).toContain('RECORD_HASH_MISMATCH');
    expect(exitCode).toBe(1);
    expect((await local('verify')).stdout).toMatch(/^✘ BROKEN {2}acme/);
  });
});

/** Whether a promise has settled by now. */
async function settled(promise: Promise<unknown>): Promise<boolean> {
  return await Promise.race([
    promise.then(() => true),
    new Promise<boolean>((resolve) => setImmediate(resolve, false)),
  ]);
}
