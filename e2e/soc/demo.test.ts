import { execFile } from 'node:child_process';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { tempDir } from '@tallystick/testing';
import { expect, test } from 'vitest';

const root = resolve(import.meta.dirname, '../..');
const run = promisify(execFile);
const node = [process.execPath, '--conditions=tallystick-source'] as const;

/** What the demo prints for machines: an object for each step, with other members for each. */
interface Step {
  readonly step: string;
  readonly [member: string]: unknown;
}

test('the demo tells its story, and every command that it prints answers from the trail that it leaves', async () => {
  using directory = tempDir();
  const data = join(directory.path, 'trail');
  const options = {
    cwd: root,
    env: { ...process.env, XDG_STATE_HOME: directory.path, XDG_CONFIG_HOME: directory.path, COLUMNS: '100' },
  };
  const main = join(root, 'examples/soc/src/demo/main.ts');
  const { stdout } = await run(node[0], [node[1], main, '--json', '--data', data], options);
  const steps = stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Step);
  const stepsOf = (name: string) => steps.filter(({ step }) => step === name);
  const what = new Set(stepsOf('record').map(({ what }) => what));
  for (const word of [
    'alert',
    'model',
    'quarantined',
    'asked',
    'granted',
    'denied',
    'done',
    'closed',
    'skipped',
    'refused',
  ])
    expect(what).toContain(word);
  expect(stepsOf('alerts')[0]).toMatchObject({ ok: true, alerts: 24 });
  expect(stepsOf('chained')[0]).toMatchObject({ ok: true, lost: 0 });
  expect(stepsOf('timeline')).toHaveLength(2);
  expect(stepsOf('attack')).toHaveLength(5);
  expect(stepsOf('end')[0]).toMatchObject({ ok: true, attacks_caught: 5 });

  const [look] = stepsOf('look');
  const commands = look!.commands as readonly string[];
  expect(commands).toHaveLength(6);
  const answers: string[] = [];
  for (const command of commands) {
    const args = command.split(' ').slice(2);
    const answer = await run(node[0], [node[1], join(root, 'packages/cli/bin/tally.js'), ...args], options);
    answers.push(answer.stdout);
  }
  const [tenants, approved, injected, quarantined, approvals, verified] = answers;
  expect(tenants).toMatch(/^acme /m);
  expect(tenants).toMatch(/^globex /m);
  for (const line of ['● alert.classified', 'template alert.classify', 'closed', 'offline'])
    expect(approved).toContain(line);
  expect(approved).toMatch(/^Models +offline .*: [1-9]\d* calls?, \$/m);
  expect(approved).toMatch(/^People +mia granted stop_production_line .*Setpoint 910/m);
  expect(approved).toContain('jo granted stop_production_line');
  expect(approved).toMatch(/^Done +\w/m);
  expect(approved).toMatch(/^Missing +nothing that these \d+ records show/m);
  expect(injected).toMatch(/^Quarantined +injection\.detected/m);
  expect(quarantined).toContain('injection.quarantined');
  expect(approvals).toContain('claimed');
  expect(verified).toContain('✔ verified');
}, 480_000);
