import { chmodSync, readFileSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { openTestOpenIdProvider, tempDir } from '@tallystick/testing';
import { afterAll, expect, test } from 'vitest';
import { readLoginsSetting, readWebhooksSetting } from '../../src/service/service-files.ts';
import { tally } from '../run-tally.ts';
import { startServe } from '../serve-process.ts';

const dir = tempDir();
afterAll(() => dir.remove());

const write = (name: string, text: string) => {
  writeFileSync(`${dir.path}/${name}`, text);
  return name;
};

const silent = () => {
  throw new Error('a file without a secret is no reason for a warning');
};

test('the file of the guide is read, and scopes are what it says', () => {
  const guide = readFileSync(resolve(import.meta.dirname, '../../../../docs/logins.md'), 'utf8');
  const file = write('guide.json', /```json\n([^`]*)```/.exec(guide)![1]!);
  expect(readLoginsSetting(file, dir.path, silent)).toMatchObject({
    issuer: 'https://id.example.com',
    audience: ['https://audit.example.com'],
    algorithms: ['RS256', 'PS256', 'ES256', 'EdDSA', 'Ed25519'],
    scopes: {
      grant: new Map([
        ['audit-readers', ['events:read', 'log:read']],
        ['audit-approvers', ['approvals:decide', 'events:read']],
      ]),
    },
  });
  expect(readLoginsSetting(undefined, dir.path, silent)).toBeUndefined();
});

test.each([
  ['absent.json', undefined, "can't read the logins in"],
  ['text.json', 'x', 'the file is not JSON'],
  ['none.json', '{}', 'issuer'],
])('%s is refused with its place', (name, text, message) => {
  if (text !== undefined) write(name, text);
  expect(() => readLoginsSetting(name, dir.path, silent)).toThrow(
    expect.objectContaining({ code: 'USAGE', message: expect.stringContaining(message) }),
  );
});

const loginsFile = (console: object) =>
  JSON.stringify({
    ...{ issuer: 'https://id.example.com', audience: 'https://audit.example.com' },
    ...{ tenants: { claim: 'tenants' }, scopes: { claim: 'groups', grant: { a: ['events:read'] } } },
    console: {
      client_id: 'console',
      redirect_uri: 'https://audit.example.com/console/login/callback',
      ...console,
    },
  });
const webhooksFile = JSON.stringify([
  { name: 'chat', url: 'https://chat.example.com/hook', secrets: ['whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw'] },
]);

test.skipIf(process.platform === 'win32').each([
  [
    'a file of logins with a secret',
    0o644,
    readLoginsSetting,
    loginsFile({ client_secret: 'x' }),
    /can read .*secret.*chmod 600/,
  ],
  ['the same, for its group alone', 0o640, readLoginsSetting, loginsFile({ client_secret: 'x' }), undefined],
  ['a file of logins without a secret', 0o644, readLoginsSetting, loginsFile({}), undefined],
  ['the same, for everybody to change', 0o666, readLoginsSetting, loginsFile({}), /can change .*chmod 600/],
  ['a file of webhooks', 0o604, readWebhooksSetting, webhooksFile, /can read .*secret.*chmod 600/],
  ['the same, for its owner alone', 0o600, readWebhooksSetting, webhooksFile, undefined],
])('%s that has the mode %o', (_, mode, read, text, expected) => {
  const name = write('modes.json', text);
  chmodSync(`${dir.path}/${name}`, mode);
  const warnings: string[] = [];
  expect(read(name, dir.path, (message) => warnings.push(message))).toBeDefined();
  expect(warnings).toEqual(expected === undefined ? [] : [expect.stringMatching(expected)]);
});

test('tally serve accepts the logins of a provider, and a command logs in with a token', async () => {
  await using provider = await openTestOpenIdProvider({
    maria: { tenants: ['acme'], groups: ['approvers'] },
  });
  const { issuer, audience } = provider;
  const logins = write(
    'logins.json',
    JSON.stringify({
      issuer,
      audience,
      tenants: { claim: 'tenants' },
      scopes: { claim: 'groups', grant: { approvers: ['approvals:decide'] } },
    }),
  );
  const store = `${dir.path}/store`;
  const create = ['serve', '--data', store, '--log-name', 'audit.example.com', '--create-admin-key'];
  expect((await tally(create, { cwd: dir.path })).exitCode).toBe(0);
  await using serving = await startServe({
    TALLYSTICK_DATA: store,
    TALLYSTICK_LOGINS: `${dir.path}/${logins}`,
  });
  const list = (token: string) =>
    tally(['approvals', 'list', '--tenant', 'acme', '--server', serving.url, '--token', token, '--json'], {
      cwd: dir.path,
      env: { XDG_CONFIG_HOME: dir.path },
    });
  expect(await list(await provider.token('maria'))).toMatchObject({ exitCode: 0 });
  const forged = await list('e30.e30.x');
  expect(forged.exitCode).toBe(4);
  expect(forged.stderr).toContain('a valid token');
}, 120_000);
