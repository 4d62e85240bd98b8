import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { text } from 'node:stream/consumers';
import { tempDir } from '@tallystick/testing';
import { afterEach, expect, test } from 'vitest';
import { anthropicMessage, ProviderServer } from '../models/provider-server.ts';

const root = resolve(import.meta.dirname, '../../../..');
const node = '--conditions=tallystick-source';

interface Step {
  readonly step: string;
  readonly [member: string]: unknown;
}

const children: ChildProcess[] = [];
afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
});

/** A program of the repository, with no settings of the person who runs the test. */
function start(directory: string, program: string, args: readonly string[], env: NodeJS.ProcessEnv = {}) {
  const { ANTHROPIC_API_KEY: _key, OPENAI_API_KEY: _other, ...rest } = process.env;
  const child = spawn(process.execPath, [node, join(root, program), ...args], {
    cwd: root,
    env: { ...rest, XDG_STATE_HOME: directory, XDG_CONFIG_HOME: directory, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  children.push(child);
  return { child, errors: text(child.stderr), ended: once(child, 'exit') as Promise<[number | null]> };
}

/** A demo for machines. Its steps arrive as it prints them. */
function startDemo(directory: string, args: readonly string[], env?: NodeJS.ProcessEnv) {
  const options = ['--json', '--data', join(directory, 'trail'), ...args];
  const { child, ended, errors } = start(directory, 'examples/soc/src/demo/main.ts', options, env);
  const steps: Step[] = [];
  const waiting = new Map<string, (step: Step) => void>();
  createInterface({ input: child.stdout! }).on('line', (line) => {
    const step = JSON.parse(line) as Step;
    steps.push(step);
    waiting.get(step.step)?.(step);
  });
  const step = async (name: string): Promise<Step> => {
    const arrives = new Promise<Step>((done) => waiting.set(name, done));
    const known = steps.find((one) => one.step === name);
    const ends = ended.then(async () => {
      throw new Error(`the demo ended without ${name}: ${await errors}`);
    });
    ends.catch(() => undefined);
    return known ?? (await Promise.race([arrives, ends]));
  };
  return { child, ended, errors, steps, step };
}

async function tally(directory: string, args: readonly string[], env: NodeJS.ProcessEnv = {}) {
  const { child, ended, errors } = start(directory, 'packages/cli/bin/tally.js', args, env);
  const printed = await text(child.stdout!);
  const [code] = await ended;
  expect(code, `tally ${args.join(' ')}: ${await errors}`).toBe(0);
  return printed;
}

test('with --keep, what the demo prints works until Ctrl-C, and models of a provider are called if they are named', {
  timeout: 300_000,
}, async () => {
  using directory = tempDir();
  const provider = new ProviderServer();
  const answer = { verdict: 'true_positive', confidence: 0.9, summary: 'The provider says so.' };
  const full = JSON.stringify({ ...answer, techniques: ['T1059'], recommended_actions: ['isolate_host'] });
  provider.answers['/v1/messages'] = anthropicMessage(full, { input_tokens: 900, output_tokens: 60 });
  const ANTHROPIC_BASE_URL = await provider.start();
  const env = { ANTHROPIC_API_KEY: 'sk-ant-test-5d11', ANTHROPIC_BASE_URL };
  const demo = startDemo(directory.path, ['--keep', '--alerts', '6', '--models', 'anthropic'], env);
  const kept = await demo.step('kept');
  await provider.stop();
  expect(await demo.step('start')).toMatchObject({ models: 'anthropic' });
  expect(provider.requests.length).toBeGreaterThan(3);
  const said = demo.steps.filter(({ step, what }) => step === 'record' && what === 'model');
  expect(said.length).toBeGreaterThan(2);
  for (const { text } of said) expect(text).toContain('anthropic claude-');
  expect(JSON.stringify(demo.steps)).not.toContain(env.ANTHROPIC_API_KEY);

  const {
    url,
    key,
    sign_in_link: link,
    commands,
  } = kept as unknown as Record<'url' | 'key' | 'sign_in_link', string> & {
    commands: readonly string[];
  };
  const [page, secret] = link.split('#link=') as [string, string];
  expect((await fetch(page)).status).toBe(200);
  const signIn = () =>
    fetch(`${url}/console/session`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'x-tallystick-console': '1', origin: url },
      body: JSON.stringify({ link: secret }),
    });
  expect((await signIn()).status).toBe(200);
  expect((await signIn()).status).toBe(401);
  expect(commands.length).toBeGreaterThan(4);
  for (const command of commands) {
    const args = command.split(' ').slice(2);
    const printed = await tally(directory.path, args, { TALLYSTICK_URL: url, TALLYSTICK_API_KEY: key });
    expect(printed, command).not.toBe('');
    if (args[0] === 'timeline') expect(printed).toMatch(/^Missing +nothing/m);
  }

  demo.child.kill('SIGINT');
  expect(await demo.ended).toEqual([0, null]);
  expect(await demo.errors).toBe('');
  // The directory belongs to no process any more, and the trail is whole.
  const verified = await tally(directory.path, [
    '--data',
    join(directory.path, 'trail'),
    'verify',
    '--tenant',
    'acme',
  ]);
  expect(verified).toContain('✔ verified');
});

test('stopped in the middle, the demo ends in good order, and what was recorded stays', {
  timeout: 300_000,
}, async () => {
  using directory = tempDir();
  const demo = startDemo(directory.path, ['--alerts', '100000']);
  await demo.step('record');
  demo.child.kill('SIGTERM');
  expect(await demo.step('stopped')).toMatchObject({ ok: false, signal: 'SIGTERM' });
  expect(await demo.ended).toEqual([143, null]);
  expect(await demo.errors).toBe('');
  const data = ['--data', join(directory.path, 'trail')];
  const shown = demo.steps.filter(({ step, tenant_id }) => step === 'record' && tenant_id === 'acme');
  const last = Math.max(...shown.map(({ sequence_number }) => Number(sequence_number)));
  const tenants = (await tally(directory.path, [...data, 'tenants', '--json'])).trimEnd().split('\n');
  const acme = tenants.map((line) => JSON.parse(line)).find(({ tenant_id }) => tenant_id === 'acme');
  expect(acme.size).toBeGreaterThan(last);
  // The producers have declared their ends: the trail says that nothing of it is missing.
  const silent = await tally(directory.path, [...data, 'producers', '--silent', '1s', '--json']);
  expect(silent).toBe('');
  expect(await tally(directory.path, [...data, 'verify', '--tenant', 'acme'])).toContain('✔ verified');
});

test('models of a provider need its key, and the demo says which', { timeout: 60_000 }, async () => {
  using directory = tempDir();
  const demo = startDemo(directory.path, ['--models', 'openai']);
  expect(await demo.ended).toEqual([3, null]);
  expect(await demo.errors).toContain('set OPENAI_API_KEY in the environment');
});
