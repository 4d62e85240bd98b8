/** What coding agents write to a hook before and after a tool, and how they read its answer. */
import type { Json } from '@tallystick/event';
import type { ReportedEnd } from '@tallystick/sdk/gate';
import { CliError } from '../errors.ts';

/** A tool call, as a hook is told about it. */
export interface HookedCall {
  /** Whether the agent asks before the call, or tells how it ended. */
  readonly phase: 'before' | 'after';
  readonly event: string;
  readonly tool: string;
  readonly arguments: Json;
  /** Id of the call: the same before and after it. */
  readonly callId: string;
  readonly sessionId: string;
  readonly directory: string | undefined;
  readonly model: string | undefined;
  /** How it ended, in the phase after. */
  readonly end: ReportedEnd | undefined;
}

/** The agents whose formats are known. */
export const hookedAgents = ['claude-code', 'codex'] as const;
export type HookedAgent = (typeof hookedAgents)[number];

/** The events of each agent. Both agents use the names and members of Claude Code; Codex has no event for a failed call. */
const eventsOf: { readonly [agent in HookedAgent]: { readonly [event: string]: HookedCall['phase'] } } = {
  'claude-code': { PreToolUse: 'before', PostToolUse: 'after', PostToolUseFailure: 'after' },
  codex: { PreToolUse: 'before', PostToolUse: 'after' },
};

/**
 * Reads what an agent wrote.
 *
 * @throws {CliError} `INPUT_INVALID` for anything that is not an event of a tool call of this agent
 */
export function readHookedCall(agent: HookedAgent, input: unknown): HookedCall {
  if (!isObject(input)) throw invalid('the input must be a JSON object');
  const event = textIn(input, 'hook_event_name');
  const phase = Object.hasOwn(eventsOf[agent], event) ? eventsOf[agent][event] : undefined;
  if (phase === undefined)
    throw invalid(`${event} is not an event of a tool call: ${Object.keys(eventsOf[agent]).join(', ')}`);
  if (input.tool_input === undefined) throw invalid('tool_input is missing');
  return {
    phase,
    event,
    tool: textIn(input, 'tool_name'),
    arguments: input.tool_input as Json,
    callId: textIn(input, 'tool_use_id'),
    sessionId: textIn(input, 'session_id'),
    directory: typeof input.cwd === 'string' ? input.cwd : undefined,
    model: typeof input.model === 'string' ? input.model : undefined,
    end: phase === 'after' ? endOf(event, input) : undefined,
  };
}

function endOf(event: string, input: { readonly [name: string]: unknown }): ReportedEnd {
  const durationMs = typeof input.duration_ms === 'number' ? input.duration_ms : undefined;
  if (event === 'PostToolUseFailure')
    return {
      status: 'failure',
      errorCode: input.is_interrupt === true ? 'INTERRUPTED' : 'TOOL_ERROR',
      durationMs,
    };
  const result = input.tool_response;
  // Tools of MCP servers report their failures in their results.
  const failed = isObject(result) && (result.isError === true || result.is_error === true);
  return {
    ...(failed ? { status: 'failure', errorCode: 'TOOL_ERROR' } : { status: 'success' }),
    result,
    durationMs,
  };
}

/**
 * The answer that denies a call. Both agents document it: Claude Code, "Hooks reference", PreToolUse decision control; Codex, "Hooks",
 * PreToolUse. Codex runs the tool if the answer has an unknown member, `continue: false`, `stopReason` or `suppressOutput`, or is not
 * JSON, so it has no further member. Half a surrogate pair, of a text that was cut off, is not JSON for Codex.
 */
export function denialOf(reason: string): object {
  return {
    hookSpecificOutput: {
      hookEventName: 'PreToolUse',
      permissionDecision: 'deny',
      permissionDecisionReason: reason.toWellFormed(),
    },
  };
}

function textIn(input: { readonly [name: string]: unknown }, name: string): string {
  const value = input[name];
  if (typeof value === 'string' && value !== '' && value.length <= 256) return value;
  throw invalid(`${name} must be a text of 1 to 256 characters`);
}

function isObject(value: unknown): value is { readonly [name: string]: unknown } {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function invalid(what: string): CliError {
  const hint =
    'check that --agent names the agent that runs this hook, and that its event is one of a tool call';
  return new CliError('INPUT_INVALID', what, { hint });
}
