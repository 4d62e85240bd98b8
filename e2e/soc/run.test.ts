import { execFile } from 'node:child_process';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { prepareEmbeddedStore, tempDir } from '@tallystick/testing';
import { expect, test } from 'vitest';

const root = resolve(import.meta.dirname, '../..');
const run = promisify(execFile);

test('the platform runs over an embedded trail, and every command that it prints answers from it', async () => {
  using directory = tempDir();
  await prepareEmbeddedStore(directory.path);
  const main = join(root, 'examples/soc/src/run/main.ts');
  const node = [process.execPath, '--conditions=tallystick-source'] as const;
  const options = {
    cwd: root,
    env: { ...process.env, XDG_STATE_HOME: directory.path, XDG_CONFIG_HOME: directory.path },
  };
  const { stdout } = await run(node[0], [node[1], main, '--data', directory.path, '--alerts', '24'], options);
  expect(stdout).toMatch(/^desk +acme +mia grants \w+: [A-Z]/m);
  expect(stdout).toMatch(/^model +acme +tier 1 offline /m);

  const commands = stdout.split('\n').filter((line) => line.startsWith('  npx tally '));
  expect(commands).toHaveLength(6);
  const answers: string[] = [];
  for (const command of commands) {
    const args = command.trim().split(' ').slice(2);
    const answer = await run(node[0], [node[1], join(root, 'packages/cli/bin/tally.js'), ...args], options);
    answers.push(answer.stdout);
  }
  const [tenants, timeline, investigation, quarantined, approvals, verified] = answers;
  expect(tenants).toMatch(/^acme /m);
  for (const line of ['● alert.classified', 'template alert.classify', 'closed', 'offline']) {
    expect(timeline).toContain(line);
  }
  expect(timeline).toMatch(/^Models +offline .*: [1-9]\d* calls?, \$/m);
  expect(timeline).toMatch(/^Done +\w/m);
  expect(timeline).toMatch(/^Missing +nothing that these \d+ records show/m);
  for (const type of [
    'alert.classified',
    'investigation.state_changed',
    'routing.tier_selected',
    'response.generated',
  ]) {
    expect(investigation).toContain(type);
  }
  expect(quarantined).toContain('injection.quarantined');
  expect(approvals).toContain('claimed');
  expect(verified).toContain('✔ verified');
}, 240_000);
