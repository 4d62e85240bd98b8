import { basename } from 'node:path';
import type { Register } from '../context.ts';
import { CliError } from '../errors.ts';
import { addExamples } from './examples.ts';
import { age } from './option-values.ts';

interface McpOptions {
  readonly policy: string;
  readonly name?: string;
  readonly actor: string;
  readonly onBehalfOf?: readonly string[];
  readonly effectTimeout?: number;
}

/** `tally mcp`: a proxy in front of an MCP server, which gates its tool calls. */
export const registerMcp: Register = (program, run) => {
  const command = program
    .command('mcp')
    .summary('gate the tool calls of an MCP server')
    .description(
      'Runs an MCP server behind a gate: each tool call is recorded before it happens, decided by the policy, approved where the policy ' +
        'asks, and followed to its end. All other valid messages pass unchanged. Without the service, no call is executed, unless its rule says ' +
        'failOpen.',
    )
    .argument('[command...]', 'the server to start, after --')
    .requiredOption('--policy <file>', 'JSON file with the rules')
    .option(
      '--name <name>',
      'name of the server in rules and records (default: the last word of its command without a dash)',
    )
    .option('--actor <[type:]id>', 'who acts', 'agent:mcp-client')
    .option('--on-behalf-of <[type:]id...>', 'for whom the actor acts, the nearest first')
    .option(
      '--effect-timeout <age>',
      'after this time a call counts as timed out, such as 10m',
      age,
      300_000,
    );
  addExamples(
    command,
    'tally mcp --tenant acme --policy rules.json -- npx -y @modelcontextprotocol/server-filesystem /srv/files',
  );
  run<McpOptions>(command, async (context, options, words) => {
    const { readPolicyFile } = await import('../gating/policy-file.ts');
    const { openServiceGate, principalsOf } = await import('../gating/service-gate.ts');
    const { policy } = readPolicyFile(options.policy, context.processContext.cwd);
    const [program_, ...rest] = words;
    if (program_ === undefined)
      throw new CliError('USAGE', 'name the server to start after --', {
        hint: 'tally help mcp shows an example',
      });
    await using opened = await openServiceGate(context, {
      service: 'tally-mcp',
      policy,
      actor: options.actor,
      effectTimeoutMs: options.effectTimeout,
    });
    const { runStdioProxy } = await import('../mcp/stdio-proxy.ts');
    const { RefusedMessages } = await import('../mcp/refused-messages.ts');
    const { terminal, processContext } = context;
    const serverName = options.name ?? nameOf(words);
    const onBehalfOf = principalsOf(options.onBehalfOf);
    const refused = new RefusedMessages({
      emit: (event) =>
        void opened.audit.emit({
          ...event,
          context: { ...event.context },
          ...opened.actor,
          tenantId: opened.tenantId,
          onBehalfOf: onBehalfOf.length === 0 ? undefined : onBehalfOf,
          targetType: 'mcp_server',
          targetId: serverName,
        }),
    });
    const exitCode = await runStdioProxy({
      gate: opened.gate,
      serverName,
      onBehalfOf,
      onRefused: (sender, reason) => refused.add(sender, reason),
      note: (message) => terminal.note(message),
      warn: (message) => terminal.warn(message),
      command: [program_, ...rest],
      processContext,
      write: (bytes) => terminal.bytes(bytes),
      log: (bytes) => terminal.errorBytes('server', bytes),
    });
    refused.flush();
    return exitCode;
  });
};

function nameOf(words: readonly string[]): string {
  return basename(
    words.find((word) => !word.startsWith('-') && !/^(?:npx|node|uvx|python3?)$/.test(basename(word))) ??
      words[0]!,
  );
}
