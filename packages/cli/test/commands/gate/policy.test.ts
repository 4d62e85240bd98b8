import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { tempDir } from '@tallystick/testing';
import { afterAll, expect, test } from 'vitest';
import { tally } from '../../run-tally.ts';

const dir = tempDir();
afterAll(() => dir.remove());
const check = (...args: string[]) => tally(['policy', 'check', ...args], { cwd: dir.path });
const file = (name: string, content: unknown) =>
  writeFileSync(join(dir.path, name), typeof content === 'string' ? content : JSON.stringify(content));

const rules = {
  name: 'files',
  version: '3',
  rules: [
    { name: 'read', when: { action: ['read_*', 'list_*'] }, effect: 'allow', failOpen: true },
    {
      name: 'etc',
      when: { arguments: { '/path': { startsWith: '/etc/' } } },
      effect: 'deny',
      reason: 'system files',
    },
    { name: 'write', when: { action: 'write_file' }, effect: 'ask', hidden: ['/content'] },
  ],
};

test('a policy file is described by its digest, and tried', async () => {
  file('rules.json', rules);
  const shown = await check('rules.json');
  expect([shown.exitCode, shown.stderr]).toEqual([0, '']);
  expect(shown.stdout).toMatch(
    /^name {7}files\nversion {4}3\ndigest {5}sha256:[0-9a-f]{64}\nrules {6}3\notherwise {2}deny\n$/,
  );
  const tried = async (action: string, path: string, ...more: string[]) =>
    (
      await check(
        'rules.json',
        '--json',
        '--action',
        action,
        '--arguments',
        JSON.stringify({ path }),
        ...more,
      )
    ).json() as { decision: object }[];
  expect((await tried('read_file', '/etc/passwd'))[0]!.decision).toEqual({
    effect: 'allow',
    rule: 'read',
    failOpen: true,
  });
  expect((await tried('write_file', '/etc/passwd'))[0]!.decision).toEqual({
    effect: 'deny',
    rule: 'etc',
    reason: 'system files',
  });
  expect((await tried('write_file', '/srv/a'))[0]!.decision).toEqual({
    effect: 'ask',
    rule: 'write',
    hidden: ['/content'],
  });
  expect((await tried('drop', ''))[0]!.decision).toEqual({ effect: 'deny', rule: 'default' });
  expect((await check('rules.json', '--action', 'read_file')).stdout).toContain('fails open');
});

test.each([
  ['{"name":"p"\n "version":"1"}', 'p.json at 2:2 must be JSON (RFC 8259) (POLICY_INVALID)'],
  ['{"name":"p","name":"q"}', 'must not repeat a member of an object'],
  [{ ...rules, rules: [{ name: 'a', effect: 'permit' }] }, 'p.json: the policy at /rules/0/effect'],
  [{ ...rules, rules: [{ name: 'a', efect: 'allow' }] }, 'p.json: the policy at /rules/0'],
  [
    { ...rules, rules: [{ name: 'a', effect: 'deny', failOpen: true }] },
    '/rules/0/failOpen needs the effect allow',
  ],
  [{ ...rules, rules: [{ name: 'a', effect: 'allow', when: { action: [] } }] }, '/rules/0/when/action'],
  [{ ...rules, rules: [{ name: 'a', effect: 'allow', when: { arguments: { path: {} } } }] }, 'JSON pointers'],
  [{ ...rules, default: 'allow' }, 'p.json: the policy at /default'],
])('a mistake is named: %j', async (content, message) => {
  file('p.json', content);
  const { exitCode, stderr, stdout } = await check('p.json');
  expect([exitCode, stdout]).toEqual([3, '']);
  expect(stderr).toContain(message);
});

test('a file that is not there', async () => {
  expect(await check('none.json')).toMatchObject({
    exitCode: 4,
    stderr: "error: can't read none.json: ENOENT (INPUT_UNREADABLE)\n",
  });
});

test.each(['nope', '[1]', '5', 'null', '{"a":1e999}', '{"a":1,"a":2}'])(
  'arguments that no agent can send are wrong usage: %s',
  async (text) => {
    file('rules.json', rules);
    const tried = await check('rules.json', '--action', 'x', '--arguments', text);
    expect([tried.exitCode, tried.stdout, tried.stderr]).toEqual([
      3,
      '',
      expect.stringContaining('--arguments'),
    ]);
  },
);
