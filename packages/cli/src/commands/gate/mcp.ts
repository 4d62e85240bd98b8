import { basename } from 'node:path';
import type { Context, Register } from '../../context.ts';
import { CliError } from '../../errors.ts';
import type { ToolCallOptions } from '../../mcp/tool-calls.ts';
import { addExamples } from '../options/examples.ts';
import { age } from '../options/option-values.ts';

interface McpOptions {
  readonly policy: string;
  readonly url?: string;
  readonly listen?: string;
  readonly allowOrigin?: readonly string[];
  readonly header?: readonly string[];
  readonly name?: string;
  readonly actor: string;
  readonly onBehalfOf?: readonly string[];
  readonly effectTimeout?: number;
}

const collect = (text: string, before: readonly string[] = []) => [...before, text];

/** `tally mcp`: a proxy in front of an MCP server, which gates its tool calls. */
export const registerMcp: Register = (program, run) => {
  const command = program
    .command('mcp')
    .summary('gate the tool calls of an MCP server')
    .description(
      'Stands between an MCP client and an MCP server: each tool call is recorded before it happens, decided by the policy, approved ' +
        'where the policy asks, and followed to its end. All other valid messages pass unchanged. Without the service, no call is ' +
        'executed, unless its rule says failOpen. The server is a command that this command starts, or an address (--url, streamable ' +
        'HTTP). The client is the process that starts this command, or one on this machine that connects to --listen.',
    )
    .argument('[command...]', 'the server to start, after --')
    .requiredOption('--policy <file>', 'JSON file with the rules')
    .option('--url <url>', 'address of a server that speaks streamable HTTP, instead of a command')
    .option(
      '--header <name: value>',
      // biome-ignore lint/suspicious/noTemplateCurlyInString: it is what the user writes
      'with --url: a header for the server; ${NAME} is a variable of the environment (repeatable)',
      collect,
    )
    .option(
      '--listen <[host:]port>',
      'with --url: wait for HTTP clients on this machine; 0 takes any free port',
    )
    .option(
      '--allow-origin <origin>',
      'with --listen: a web page that may use the listener, such as http://localhost:6274 (repeatable)',
      collect,
    )
    .option(
      '--name <name>',
      'name of the server in rules and records (default: the host of --url, or the first word of the command that is not an option)',
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
    // biome-ignore lint/suspicious/noTemplateCurlyInString: it is what the user writes
    "tally mcp --tenant acme --policy rules.json --url https://mcp.example.com/mcp --header 'Authorization: Bearer ${TOKEN}'",
    'tally mcp --tenant acme --policy rules.json --url https://mcp.example.com/mcp --listen 3333',
  );
  run<McpOptions>(command, async (context, options, words) => {
    const { readPolicyFile } = await import('../../gating/policy-file.ts');
    const { openServiceGate, principalsOf } = await import('../../gating/service-gate.ts');
    const { RefusedMessages } = await import('../../mcp/refused-messages.ts');
    const { terminal, processContext } = context;
    const { policy } = readPolicyFile(options.policy, processContext.cwd);
    const proxy =
      options.url === undefined
        ? await commandProxy(context, options, words)
        : await urlProxy(context, options.url, options, words);
    await using opened = await openServiceGate(context, {
      service: 'tally-mcp',
      policy,
      actor: options.actor,
      effectTimeoutMs: options.effectTimeout,
    });
    const serverName = options.name ?? proxy.serverName;
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
    const exitCode = await proxy.run({
      gate: opened.gate,
      serverName,
      onBehalfOf,
      onRefused: (sender, reason) => refused.add(sender, reason),
      note: (message) => terminal.note(message),
      warn: (message) => terminal.warn(message),
    });
    refused.flush();
    return exitCode;
  });
};

/** A proxy whose options are right. */
interface Proxy {
  /** The name of the server where none is given. */
  readonly serverName: string;
  /** @returns the exit code */
  run(parts: ToolCallOptions): Promise<number>;
}

async function commandProxy(
  { terminal, processContext }: Context,
  options: McpOptions,
  words: readonly string[],
): Promise<Proxy> {
  const [program, ...rest] = words;
  if (program === undefined)
    throw new CliError('USAGE', 'name the server to start after --, or its address with --url', {
      hint: 'tally help mcp shows an example',
    });
  for (const [name, value] of Object.entries({
    '--header': options.header,
    '--listen': options.listen,
    '--allow-origin': options.allowOrigin,
  }))
    if (value !== undefined) throw new CliError('USAGE', `${name} needs a server with --url`);
  const { runStdioProxy } = await import('../../mcp/stdio-proxy.ts');
  return {
    serverName: nameOf(words),
    run: (parts) =>
      runStdioProxy({
        ...parts,
        command: [program, ...rest],
        processContext,
        write: (bytes) => terminal.bytes(bytes),
        log: (bytes) => terminal.errorBytes('server', bytes),
      }),
  };
}

async function urlProxy(
  { terminal, processContext }: Context,
  address: string,
  options: McpOptions,
  words: readonly string[],
): Promise<Proxy> {
  if (words.length > 0)
    throw new CliError('USAGE', 'name the server with --url or with a command after --, not with both');
  const { isUnencrypted, readHeaderOptions, readServerUrl } = await import(
    '../../mcp/http/header-options.ts'
  );
  const { Upstream } = await import('../../mcp/http/upstream.ts');
  const url = readServerUrl(address);
  const headers = readHeaderOptions(options.header ?? [], processContext.env);
  if (isUnencrypted(url))
    terminal.warn(`${url.origin} is not encrypted: the network can read and change calls`);
  const upstream = new Upstream(url, headers, processContext.env);
  if (options.listen !== undefined) {
    const listener = await listenerOptions(options.listen, options.allowOrigin ?? []);
    const { runListener } = await import('../../mcp/http/listener.ts');
    return {
      serverName: url.host,
      run: (parts) => runListener({ ...parts, ...listener, upstream, processContext }),
    };
  }
  if (options.allowOrigin !== undefined) throw new CliError('USAGE', '--allow-origin needs --listen');
  const { runBridge } = await import('../../mcp/http/bridge.ts');
  return {
    serverName: url.host,
    run: (parts) =>
      runBridge({ ...parts, upstream, processContext, write: (bytes) => terminal.bytes(bytes) }),
  };
}

async function listenerOptions(address: string, allowedOrigins: readonly string[]) {
  const { listenAddress } = await import('../../mcp/http/local-requests.ts');
  const listen = listenAddress(address);
  if (listen === undefined)
    throw new CliError(
      'USAGE',
      '--listen must be a port, or a port of localhost: the listener is for this machine alone',
    );
  for (const origin of allowedOrigins)
    if (URL.parse(origin)?.origin !== origin)
      throw new CliError('USAGE', '--allow-origin must be an origin, such as http://localhost:6274');
  return { listen, allowedOrigins };
}

function nameOf(words: readonly string[]): string {
  return basename(
    words.find((word) => !word.startsWith('-') && !/^(?:npx|node|uvx|python3?)$/.test(basename(word))) ??
      words[0]!,
  );
}
