import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { hookExitCode } from '../../src/hook/exit-codes.ts';
import { denialOf, hookedAgents, readHookedCall } from '../../src/hook/formats.ts';
import { isHook } from '../../src/program.ts';

const before = {
  session_id: 's-1',
  transcript_path: null,
  cwd: '/srv',
  hook_event_name: 'PreToolUse',
  model: 'm',
  permission_mode: 'default',
  tool_name: 'Bash',
  tool_input: { command: 'ls' },
  tool_use_id: 'call-1',
};
const after = { ...before, hook_event_name: 'PostToolUse', tool_response: 'a.txt', duration_ms: 5 };

describe.each(hookedAgents)('%s', (agent) => {
  test('before and after a tool', () => {
    const common = {
      tool: 'Bash',
      arguments: { command: 'ls' },
      callId: 'call-1',
      sessionId: 's-1',
      directory: '/srv',
    };
    expect(readHookedCall(agent, before)).toMatchObject({ phase: 'before', end: undefined, ...common });
    expect(readHookedCall(agent, after)).toMatchObject({
      phase: 'after',
      end: { status: 'success', result: 'a.txt', durationMs: 5 },
      ...common,
    });
    expect(readHookedCall(agent, { ...after, tool_response: { isError: true } }).end).toMatchObject({
      status: 'failure',
      errorCode: 'TOOL_ERROR',
    });
  });

  test.each([
    [null],
    [[before]],
    [{ ...before, tool_use_id: undefined }],
    [{ ...before, tool_use_id: '' }],
    [{ ...before, session_id: 7 }],
    [{ ...before, tool_input: undefined }],
    [{ ...before, hook_event_name: 'Stop' }],
    [{ ...before, hook_event_name: 'preToolUse' }],
    [{ ...before, hook_event_name: 'constructor' }],
    [{ ...before, tool_name: 'x'.repeat(257) }],
  ])('%j is refused', (input) => {
    expect(() => readHookedCall(agent, input)).toThrow(expect.objectContaining({ code: 'INPUT_INVALID' }));
  });
});

test('a failed call is an event of Claude Code alone', () => {
  const failed = {
    ...before,
    hook_event_name: 'PostToolUseFailure',
    error: 'Exit code 1',
    is_interrupt: false,
  };
  expect(readHookedCall('claude-code', failed).end).toMatchObject({
    status: 'failure',
    errorCode: 'TOOL_ERROR',
  });
  expect(readHookedCall('claude-code', { ...failed, is_interrupt: true }).end).toMatchObject({
    errorCode: 'INTERRUPTED',
  });
  expect(() => readHookedCall('codex', failed)).toThrow('PostToolUseFailure is not an event');
});

test('the denial has the members that both agents know, and no other', () => {
  expect(denialOf('because')).toEqual({
    hookSpecificOutput: {
      hookEventName: 'PreToolUse',
      permissionDecision: 'deny',
      permissionDecisionReason: 'because',
    },
  });
});

test('whatever the reason is, the denial is JSON for Codex too, which reads no half of a surrogate pair', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), fc.constantFrom('', '\ud83d', '\udc00'), (text, half) => {
      const answer = JSON.stringify(denialOf(`no: ${text}${half}`));
      expect(JSON.stringify(JSON.parse(answer), (_, value) => value?.toWellFormed?.() ?? value)).toBe(answer);
      expect(answer).toMatch(
        /^\{"hookSpecificOutput":\{[^{}]*"permissionDecision":"deny","permissionDecisionReason":"no: /,
      );
    }),
  );
});

test('no failure ends with a code that an agent takes for permission', () => {
  expect([0, 1, 2, 3, 4, 5, 6, 130].map(hookExitCode)).toEqual([0, 1, 2, 2, 2, 2, 2, 2]);
});

test.each([
  [true, 'hook --x'],
  [true, '--tenant acme hook --x'],
  [true, '--server=http://a -q --data hook hook'],
  [true, '--tenat acme hook'],
  [false, 'emit hook'],
  [false, '--tenant hook emit'],
  [false, '--tenant hook'],
  [false, ''],
])('%s: a hook is recognised behind global options: %s', (expected, line) => {
  expect(isHook(line.split(' '))).toBe(expected);
});
