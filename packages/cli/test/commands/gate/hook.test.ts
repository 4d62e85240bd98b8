import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, statSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { createClient } from '@tallystick/client';
import type { AuditEvent } from '@tallystick/event';
import { tempDir } from '@tallystick/testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type RunOptions, tally } from '../../run-tally.ts';
import { openService, type Service } from '../service.ts';

const dir = tempDir();
let service: Service;
let maria: string;
/** Key of the agent: requests for approvals need one that is bound to a subject. */
let agentKey: string;
beforeAll(async () => {
  service = await openService(join(dir.path, 'store'));
  const policy = {
    name: 'coding',
    version: '1',
    rules: [
      {
        name: 'force',
        when: { arguments: { '/command': { contains: '--force' } } },
        effect: 'deny',
        reason: 'no force',
      },
      {
        name: 'push',
        when: { action: 'Bash', arguments: { '/command': { startsWith: 'git push' } } },
        effect: 'ask',
      },
      { name: 'rest', effect: 'allow' },
    ],
  };
  writeFileSync(join(dir.path, 'rules.json'), JSON.stringify(policy));
  const create = async (subject: string, ...scopes: string[]) => {
    const args = ['api-keys', 'create', '--name', 'k', '--scope', ...scopes, '--subject', subject, '--json'];
    const created = await tally(args, { env: env({ TALLYSTICK_API_KEY: service.key }), cwd: dir.path });
    return (created.json()[0] as { key: string }).key;
  };
  maria = await create('maria', 'approvals:decide', 'events:read');
  agentKey = await create('service:agent', 'events:write', 'events:read', 'approvals:request');
});
afterAll(async () => {
  await service.close();
  dir.remove();
});

const env = (more: object = {}) => ({
  XDG_CONFIG_HOME: dir.path,
  TALLYSTICK_URL: service.url,
  TALLYSTICK_API_KEY: agentKey,
  TALLYSTICK_TENANT: 'acme',
  ...more,
});
const words = (...more: string[]) => ['hook', '--agent', 'claude-code', '--policy', 'rules.json', ...more];
const hook = (input: unknown, args = words(), options: RunOptions = {}) =>
  tally(args, {
    cwd: dir.path,
    env: env(),
    stdin: input instanceof Readable ? input : typeof input === 'string' ? input : JSON.stringify(input),
    ...options,
  });
let calls = 0;
const call = (command: string, more: object = {}) => ({
  session_id: 's-1',
  cwd: dir.path,
  hook_event_name: 'PreToolUse',
  tool_name: 'Bash',
  tool_input: { command },
  tool_use_id: `toolu_${++calls}`,
  ...more,
});
const ended = (before: object, more: object = {}) => ({
  ...before,
  hook_event_name: 'PostToolUse',
  tool_response: { stdout: 'done' },
  ...more,
});
async function story(callId: string): Promise<readonly AuditEvent[]> {
  const client = createClient({ url: service.url, apiKey: service.key });
  const events: AuditEvent[] = [];
  const query = { tenant_id: 'acme', order: 'asc', filters: { event_category: 'agent' } } as const;
  for await (const event of client.events.listAll(query)) events.push(event as unknown as AuditEvent);
  return events.filter(({ idempotency_key: key }) => key === `claude-code:s-1:${callId}`);
}
const types = (events: readonly AuditEvent[]) =>
  events.map(({ event_type }) => event_type.replace('agent.action.', ''));
const silent = { exitCode: 0, stdout: '', stderr: '' };

describe('a call that is allowed', () => {
  test('gets no answer, so that the agent still asks its user; the end joins the intent', async () => {
    const before = call('npm test --token=ghp_abcdefghijklmnopqrstuvwxyz0123456789');
    expect(await hook(before)).toMatchObject(silent);
    expect(await hook(ended(before, { duration_ms: 12 }))).toMatchObject(silent);
    const records = await story(before.tool_use_id);
    expect(types(records)).toEqual(['intended', 'decided', 'completed']);
    expect(records[0]).toMatchObject({
      actor_type: 'agent',
      actor_id: 'claude-code',
      source_service: 'tally-hook',
      context: { action: 'Bash', 'gen_ai.tool.call.id': before.tool_use_id, directory: dir.path },
    });
    expect(records[2]).toMatchObject({
      parent_id: records[0]!.audit_id,
      outcome: { outcome_status: 'success', duration_ms: 12 },
    });
    expect(JSON.stringify(records)).not.toContain('ghp_');
    expect(statSync(join(dir.path, 'tallystick/hiding-key')).mode & 0o777).toBe(0o600);
  });

  test('and fails is recorded as a failure', async () => {
    const before = call('false');
    await hook(before);
    const failed = { ...before, hook_event_name: 'PostToolUseFailure', error: 'Exit code 1' };
    expect(await hook(failed)).toMatchObject(silent);
    expect((await story(before.tool_use_id)).at(-1)!.outcome).toMatchObject({
      outcome_status: 'failure',
      error_code: 'TOOL_ERROR',
    });
  });

  test('runs once: the same call is not admitted again', async () => {
    const before = call('ls');
    await hook(before);
    expect((await hook(before)).stdout).toContain('ALREADY_RUN');
  });
});

describe('a call that is denied', () => {
  test('by a rule: the answer has the form that the agent documents', async () => {
    const { exitCode, stdout, json } = await hook(call('git push --force'));
    expect(exitCode).toBe(0);
    expect(stdout.trim().split('\n')).toHaveLength(1);
    expect(json()).toEqual([
      {
        hookSpecificOutput: {
          hookEventName: 'PreToolUse',
          permissionDecision: 'deny',
          permissionDecisionReason: 'Tallystick denies this call: the policy denies Bash: no force (DENIED).',
        },
      },
    ]);
  });

  test('after an approver denied it, or nobody decided in time', async () => {
    const before = call('git push');
    const running = hook(before);
    const pending = async () => {
      for (;;) {
        const list = (await tally(['approvals', 'list', '--json'], { env: env(), cwd: dir.path })).json();
        if (list.length > 0) return list[0] as { id: string };
      }
    };
    const { id } = await pending();
    const maria_ = { env: env({ TALLYSTICK_API_KEY: maria }), cwd: dir.path };
    await tally(['approvals', 'deny', id], maria_);
    const denied = await running;
    expect(denied.stdout).toContain(`(APPROVAL_DENIED) (approval ${id})`);
    expect(denied.stderr).toContain(`tally approvals show ${id}`);
    const late = await hook(call('git push'), words('--timeout', '1s'));
    expect([late.exitCode, late.stdout]).toEqual([
      0,
      expect.stringContaining('no approval was given in time'),
    ]);
  });

  test('and granted: it runs with the approval', async () => {
    const before = call('git push origin');
    const running = hook(before);
    let approval: { id: string; document_digest: string } | undefined;
    while (approval === undefined) {
      const list = (await tally(['approvals', 'list', '--json'], { env: env(), cwd: dir.path })).json();
      approval = list[0] as typeof approval;
    }
    const digest = approval.document_digest.slice(7, 39);
    const options = { env: env({ TALLYSTICK_API_KEY: maria }), cwd: dir.path };
    await tally(['approvals', 'grant', approval.id, '--digest', digest], options);
    expect(await running).toMatchObject({ exitCode: 0, stdout: '' });
    expect(await hook(ended(before))).toMatchObject(silent);
    expect(types(await story(before.tool_use_id))).toEqual(['intended', 'decided', 'completed']);
  });
});

describe('whatever goes wrong before a call denies it', () => {
  const wrong: [what: string, args: string[], input: unknown, more?: object][] = [
    ['no input', words(), ''],
    ['input that is not JSON', words(), '{"hook_event_name":'],
    ['a repeated member', words(), '{"tool_name":"a","tool_name":"b"}'],
    ['another event', words(), call('ls', { hook_event_name: 'Stop' })],
    ['no call id', words(), call('ls', { tool_use_id: undefined })],
    ['no policy', ['hook', '--agent', 'codex', '--policy', 'none.json'], call('ls')],
    ['a missing option', ['hook', '--agent', 'codex'], call('ls')],
    ['an unknown agent', ['hook', '--agent', 'emacs', '--policy', 'rules.json'], call('ls')],
    ['an unknown option', words('--tiemout', '5s'), call('ls')],
    ['an unknown option behind a global one', ['--tenant', 'acme', ...words('--tiemout')], call('ls')],
    ['no policy behind a mistake', ['--tenat', 'acme', 'hook', '--agent', 'codex'], call('ls')],
    ['no service', words(), call('ls'), { TALLYSTICK_URL: '' }],
    ['a wrong key', words(), call('ls'), { TALLYSTICK_API_KEY: 'tally_wrong' }],
    ['no tenant', words(), call('ls'), { TALLYSTICK_TENANT: '' }],
    ['a damaged configuration', words(), call('ls'), { XDG_CONFIG_HOME: '/dev/null/x', HOME: '/dev/null' }],
  ];
  test.each(wrong.map((each) => [each[0], each] as const))('%s', async (_, [, args, input, more = {}]) => {
    const { exitCode, stdout, stderr } = await hook(input, args, { env: env(more) });
    if (exitCode === 0) {
      // Codex would run the call if the answer were not JSON, or had continue, stopReason or suppressOutput beside the denial.
      const answer = JSON.parse(stdout) as { hookSpecificOutput: { permissionDecision: string } };
      expect(Object.keys(answer)).toEqual(['hookSpecificOutput']);
      expect(answer.hookSpecificOutput.permissionDecision).toBe('deny');
    } else expect([exitCode, stdout, stderr === '']).toEqual([2, '', false]);
  });

  /** Runs the hook within a line of a shell, in which `"$@"` is its command line. */
  async function inShell(line: string, input: object, cwd = dir.path) {
    const args = ['-c', line, 'bash', process.execPath, bin, ...words()];
    const shell = spawn('bash', args, { cwd, env: { ...process.env, ...env() } });
    shell.stdin.end(JSON.stringify(input));
    const [errors, [exitCode]] = await Promise.all([text(shell.stderr), once(shell, 'close')]);
    return { exitCode, errors };
  }

  test('an answer that can not be written', async () => {
    const { exitCode } = await inShell('exec "$@" > /dev/full', call('git push --force'));
    expect(exitCode).toBe(2);
  });

  test('an answer that the agent does not read', async () => {
    const line = 'set -o pipefail; "$@" | exec 0<&-';
    const { exitCode, errors } = await inShell(line, call('git push --force'));
    expect([exitCode, errors]).toEqual([2, expect.stringContaining('no force (DENIED). (OUTPUT_FAILED)')]);
  });

  test('a directory that was removed, as an agent can do itself', async () => {
    const gone = join(dir.path, 'gone');
    mkdirSync(gone);
    const { exitCode, errors } = await inShell('rmdir "$PWD"; exec "$@"', call('ls'), gone);
    expect([exitCode, errors]).toEqual([2, expect.stringContaining('current directory does not exist')]);
  });

  test('an agent that never ends its input', async () => {
    const { exitCode, stderr } = await hook(new Readable({ read() {} }), words('--timeout', '1s'));
    expect([exitCode, stderr]).toEqual([2, expect.stringContaining('no decision within 5000 ms')]);
  }, 60_000);
});

const bin = resolve(import.meta.dirname, '../../../bin/tally.js');

describe('what goes wrong after a call can not deny it', () => {
  test('a call without the hook before it is recorded, and reported', async () => {
    const stray = ended(call('ls'));
    const { exitCode, stderr } = await hook(stray);
    expect([exitCode, stderr]).toEqual([1, expect.stringContaining('ran without the hook before it')]);
  });

  test('a call that ran with other arguments too', async () => {
    const before = call('ls');
    await hook(before);
    const { exitCode, stderr } = await hook(ended({ ...before, tool_input: { command: 'rm -r /' } }));
    expect([exitCode, stderr]).toEqual([1, expect.stringContaining('ran with other arguments')]);
    const records = await story(before.tool_use_id);
    expect(types(records)).toEqual(['intended', 'decided', 'completed']);
    expect(records[2]!.parent_id).not.toBe(records[0]!.audit_id);
  });

  test('without the service', async () => {
    const { exitCode, stdout } = await hook(ended(call('ls')), words(), {
      env: env({ TALLYSTICK_URL: 'http://127.0.0.1:9' }),
    });
    expect([exitCode, stdout]).toEqual([1, '']);
  }, 60_000);
});

test('in a process of its own, as an agent runs it', async () => {
  const run = (input: object) =>
    spawnSync(process.execPath, [bin, ...words()], {
      cwd: dir.path,
      env: { ...process.env, ...env({ TALLYSTICK_URL: 'http://127.0.0.1:9' }) },
      input: JSON.stringify(input),
      encoding: 'utf8',
    });
  const { status, stdout } = run(call('ls'));
  expect([status, stdout]).toEqual([0, expect.stringContaining('NOT_ACKNOWLEDGED')]);
}, 60_000);
