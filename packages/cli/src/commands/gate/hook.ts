import { decodeUtf8, parseStrictJson } from '@tallystick/event';
import { Option } from 'commander';
import type { Context, Register } from '../../context.ts';
import { CliError, describeFailure } from '../../errors.ts';
import { hookExitCodes } from '../../hook/exit-codes.ts';
import { type HookedAgent, type HookedCall, hookedAgents } from '../../hook/formats.ts';
import { readInput } from '../../terminal/input.ts';
import { addExamples } from '../options/examples.ts';
import { age } from '../options/option-values.ts';

interface HookOptions {
  readonly agent: HookedAgent;
  readonly policy: string;
  readonly actor?: string;
  readonly onBehalfOf?: readonly string[];
  readonly timeout: number;
}

/** Time for what follows the wait for an approval, ms: the denial must be written before the agent gives up its hook. */
const afterDeadlineMs = 4_000;

/** `tally hook`: gates the tools of a coding agent that calls a command before and after each of them. */
export const registerHook: Register = (program, run) => {
  const command = program
    .command('hook')
    .summary('gate the tools of a coding agent')
    .description(
      'Reads what a coding agent tells its hooks, on standard input. Before a tool it records the intent, lets the policy decide, waits ' +
        'for an approval where the policy asks, and denies the call on any error. After a tool it records how the call ended. An ' +
        "allowed call still needs the agent's own permission. Exit codes: 0 answered, 1 the end was not recorded, 2 denied.",
    )
    .addOption(
      new Option('--agent <name>', 'the agent that runs the hook')
        .choices([...hookedAgents])
        .makeOptionMandatory(),
    )
    .requiredOption('--policy <file>', 'JSON file with the rules')
    .option('--actor <[type:]id>', 'who acts (default: agent: and the name of the agent)')
    .option('--on-behalf-of <[type:]id...>', 'for whom the actor acts, the nearest first')
    .option(
      '--timeout <age>',
      "how long to wait for an approval; the agent's own time-out must be 10 s longer",
      age,
      50_000,
    );
  addExamples(command, 'tally hook --agent claude-code --tenant acme --policy /etc/tallystick/rules.json');
  run<HookOptions>(command, async (context, options) => {
    const { terminal } = context;
    let call: HookedCall | undefined;
    const onRead = (read: HookedCall) => {
      call = read;
    };
    try {
      const limit = options.timeout + afterDeadlineMs;
      return await withinTime(limit, answer(context, options, onRead));
    } catch (error) {
      terminal.fail(describeFailure(error));
      return call?.phase === 'after' ? hookExitCodes.notRecorded : hookExitCodes.denied;
    }
  });
};

async function answer(
  context: Context,
  options: HookOptions,
  onRead: (call: HookedCall) => void,
): Promise<number> {
  const { terminal, processContext } = context;
  const deadline = AbortSignal.any([AbortSignal.timeout(options.timeout), processContext.stopped]);
  const { denialOf, readHookedCall } = await import('../../hook/formats.ts');
  const { actionOf, askBefore, complaintAbout } = await import('../../hook/run-hook.ts');
  const input = decodeUtf8(await readInput(undefined, processContext));
  const call = readHookedCall(options.agent, parseStrictJson(input));
  onRead(call);
  const { readPolicyFile } = await import('../../gating/policy-file.ts');
  const { openServiceGate, principalsOf } = await import('../../gating/service-gate.ts');
  const { hidingKey } = await import('../../hook/hiding-key.ts');
  const { policy } = readPolicyFile(options.policy, processContext.cwd);
  await using opened = await openServiceGate(context, {
    service: 'tally-hook',
    policy,
    actor: options.actor ?? `agent:${options.agent}`,
    hidingKey: hidingKey(processContext.env),
  });
  const action = actionOf(options.agent, call, principalsOf(options.onBehalfOf));
  if (call.end !== undefined) {
    const complaint = complaintAbout(await opened.gate.report(action, call.end), call.tool);
    if (complaint === undefined) return hookExitCodes.ok;
    terminal.warn(complaint);
    return hookExitCodes.notRecorded;
  }
  const onPending: typeof action.onPending = ({ id }) =>
    terminal.note(`${call.tool} waits for approval ${id}: tally approvals show ${id}`);
  const denial = await askBefore(opened.gate, { ...action, onPending }, deadline);
  if (denial === undefined) return hookExitCodes.ok;
  await terminal.jsonLine(denialOf(denial));
  // Without the answer, the exit code 0 would permit the call.
  if (terminal.outputEnded) throw new CliError('OUTPUT_FAILED', denial);
  return hookExitCodes.ok;
}

/** The result of the work, or an error after `ms` milliseconds: a hook that hangs is ended by its agent, which then runs the tool. */
async function withinTime<T>(ms: number, work: Promise<T>): Promise<T> {
  const { promise, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(
    () => reject(new CliError('SERVICE_UNREACHABLE', `no decision within ${ms} ms`)),
    ms,
  );
  try {
    return await Promise.race([work, promise]);
  } finally {
    clearTimeout(timer);
  }
}
