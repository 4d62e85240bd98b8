import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { tempDir } from '@tallystick/testing';
import { expect, test } from 'vitest';

const root = resolve(import.meta.dirname, '../..');
const run = promisify(execFile);
const node = [process.execPath, '--conditions=tallystick-source'] as const;

const guide = readFileSync(join(root, 'examples/soc/README.md'), 'utf8');

/** Members of each step, as the README says. A member with `?` may be absent; a step with other members is `open`. */
function documentedSteps() {
  const rows = guide.matchAll(/^\| `(\w+)` \| (.*`\w+\??`.*) \|$/gm);
  const steps = [...rows].map(([, step, text]) => {
    const named = [...text!.matchAll(/`(\w+)(\??)`/g)];
    const required = named.filter(([, , mark]) => mark === '').map(([, member]) => member!);
    const all = named.map(([, member]) => member!);
    return [step!, { required, all, open: text!.includes('`ok`, and the ') }] as const;
  });
  return new Map(steps);
}

/** The commands of the README's table that answer questions about one investigation. */
function documentedCommands(): string[] {
  const [, table] = guide.split('For one investigation, `tally` alone answers these questions.');
  return [...table!.split('\n### ')[0]!.matchAll(/^\| .* \| `npx tally (.*)` \|$/gm)].map(
    ([, command]) => command!,
  );
}

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

  const documented = documentedSteps();
  for (const { step, ...members } of steps) {
    const { required, all, open } = documented.get(step)!;
    const names = Object.keys(members);
    expect(names, step).toEqual(expect.arrayContaining(required));
    if (!open)
      expect(
        names.filter((name) => !all.includes(name)),
        step,
      ).toEqual([]);
  }

  const [look] = stepsOf('look');
  const commands = look!.commands as readonly string[];
  expect(commands).toHaveLength(6);
  const tally = async (...args: readonly string[]) => {
    const answer = await run(node[0], [node[1], join(root, 'packages/cli/bin/tally.js'), ...args], options);
    return answer.stdout;
  };
  const answers: string[] = [];
  for (const command of commands) answers.push(await tally(...command.split(' ').slice(2)));
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

  // The walk of a newcomer who has only the README and one investigation id of the last lines.
  const [investigation] = look!.investigations as readonly string[];
  const answered = /^ +\S+ .* +#(\d+) {2}.*routing\.tier_selected/m.exec(approved!)![1]!;
  const walk: string[] = [];
  for (const command of documentedCommands()) {
    const args = command
      .split(' ')
      .map((word) => ({ DIR: data, INVESTIGATION: investigation, NUMBER: answered })[word] ?? word);
    walk.push(await tally(...args));
  }
  const [timeline, record, trail, producers] = walk;
  expect(walk).toHaveLength(4);
  for (const answer of [
    /● routing\.tier_selected, offline rules-default tier 1, true_positive, confidence[\s\S]*?why +The evidence shows plant control\./,
    /^Models +offline rules-default tier 1: \d+ calls?, \$0\.\d+/m,
    /^People +mia granted stop_production_line/m,
    /^Done +notify_analyst[\s\S]*^ +stop_production_line host:line-4/m,
    /^Quarantined +nothing/m,
    /^Missing +nothing that these \d+ records show/m,
  ])
    expect(timeline).toMatch(answer);
  for (const said of ['llm_raw_response_hash', 'The evidence shows plant control.', 'alert.classify'])
    expect(record).toContain(said);
  expect(trail).toContain('✔ verified');
  // Every producer declared its end, so the list is empty.
  expect(producers).toBe('');
}, 480_000);
