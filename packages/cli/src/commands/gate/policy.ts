import { canonicalize, parseStrictJson } from '@tallystick/event';
import type { PolicyRequest } from '@tallystick/sdk/gate';
import type { Register } from '../../context.ts';
import { CliError, describeFailure } from '../../errors.ts';
import { splitActor } from '../../gating/principal.ts';
import { renderFields } from '../../terminal/table.ts';
import { addExamples } from '../options/examples.ts';

interface CheckOptions {
  readonly action?: string;
  readonly arguments?: string;
  readonly actor: string;
  readonly target?: string;
}

/** `tally policy`: says what a policy file is, before an agent meets it. */
export const registerPolicy: Register = (program, run) => {
  const command = program
    .command('policy')
    .summary('check the rules that gate agents')
    .description('Checks policy files, which tally mcp and tally hook read.');
  const check = command
    .command('check')
    .summary('check a policy file, and try an action')
    .description(
      'Checks a policy file and prints its digest, which the records name. With --action it prints what the policy decides about an ' +
        'action. Nothing is recorded. The exit code is 3 if the file has a mistake.',
    )
    .argument('<file>', 'JSON file with the rules')
    .option('--action <name>', 'name of a tool or action to try')
    .option('--arguments <json>', 'arguments of that action, as a JSON object', '{}')
    .option('--actor <[type:]id>', 'who acts', 'agent:agent')
    .option('--target <type:id>', 'what is acted on, such as mcp_server:files');
  addExamples(
    check,
    'tally policy check rules.json',
    `tally policy check rules.json --action write_file --arguments '{"path":"/etc/passwd"}'`,
  );
  run<CheckOptions>(check, async ({ terminal, processContext, settings }, options, [file]) => {
    const { readPolicyFile } = await import('../../gating/policy-file.ts');
    const { policy, definition } = readPolicyFile(file!, processContext.cwd);
    const { name, version, digest } = policy;
    const facts = {
      name,
      version,
      digest,
      rules: definition.rules.length,
      otherwise: definition.otherwise ?? 'deny',
    };
    const request = requestOf(options, settings.tenant ?? 'acme');
    const tried = request === undefined ? {} : { ...policy.decide(request), ...policy.handling(request) };
    if (terminal.json)
      await terminal.jsonLine({ ...facts, ...(request !== undefined && { decision: tried }) });
    else {
      const shown = { ...facts, rules: String(facts.rules), ...shownDecision(tried) };
      await terminal.write(renderFields(terminal, Object.entries(shown)));
    }
    return undefined;
  });
};

function requestOf(options: CheckOptions, tenantId: string): PolicyRequest | undefined {
  if (options.action === undefined) return undefined;
  const [actorType, actorId] = splitActor(options.actor);
  const [type, ...id] = options.target?.split(':') ?? [];
  return {
    tenantId,
    action: options.action,
    actorType,
    actorId,
    onBehalfOf: [],
    target: type === undefined ? undefined : { type, id: id.join(':') },
    arguments: readArguments(options.arguments ?? '{}'),
  };
}

/** @throws {CliError} `USAGE`: of other arguments, the decision would be another one than the agent gets */
function readArguments(text: string): PolicyRequest['arguments'] {
  let value: unknown;
  try {
    value = parseStrictJson(text);
    canonicalize(value);
  } catch (cause) {
    throw new CliError('USAGE', `--arguments: ${describeFailure(cause).message}`, { cause });
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new CliError('USAGE', '--arguments must be a JSON object');
  return value as PolicyRequest['arguments'];
}

function shownDecision(tried: {
  readonly effect?: string;
  readonly rule?: string;
  readonly reason?: string;
  readonly hidden?: readonly string[] | undefined;
  readonly failOpen?: boolean | undefined;
}): { readonly [name: string]: string } {
  const { effect, rule, reason, hidden, failOpen } = tried;
  return {
    ...(effect !== undefined && { decision: effect }),
    ...(rule !== undefined && { rule }),
    ...(reason !== undefined && { reason }),
    ...(hidden !== undefined && { hidden: hidden.join(', ') }),
    ...(failOpen === true && { 'fails open': 'yes' }),
  };
}
