import { readFileSync } from 'node:fs';
import { Command, CommanderError, Option } from 'commander';
import { commandGroups } from './commands/groups.ts';
import { collect, refuseLostValues } from './commands/options/lost-values.ts';
import { createContext, type GlobalOptions, type RunAction } from './context.ts';
import { CliError, describeFailure, exitCodes } from './errors.ts';
import { hookExitCode } from './hook/exit-codes.ts';
import type { ProcessContext } from './process-context.ts';
import { Terminal } from './terminal/terminal.ts';

const helpEnd = `
Most commands work on a service (--server URL --key KEY) or on the directory of an embedded store (--data DIR).
A command with --data opens the store, which takes a second or more. tally dev --data DIR keeps it open, for --server.
Settings come from options, then TALLYSTICK_URL, TALLYSTICK_API_KEY or TALLYSTICK_TOKEN, TALLYSTICK_TENANT and TALLYSTICK_DATA, then tally config.
Exit codes: 0 done or verified, 1 broken or partly refused, 2 not verifiable, 3 wrong usage, 4 input, output or network failed,
  5 verified or read, but only a part of a trail, 6 another log, key or epoch than before at this place, 7 something is missing.

Examples:
  tally demo
  tally dev
  tally help emit`;

/** The grammar of the command line. `run` connects each command with its work. */
export function createProgram(run: RunAction): Command {
  const program = new Command('tally')
    .description(
      'Tamper-evident audit logging: write events, read them, and prove that they were not changed.',
    )
    .version(version(), '-V, --version', 'print the version')
    .helpOption('-h, --help', 'print help')
    .configureHelp({ showGlobalOptions: true, sortSubcommands: false })
    .addOption(new Option('--server <url>', 'address of a running service'))
    .addOption(
      collect(
        new Option(
          '--key <key>',
          "API key of the service (tally_…); for tally verify, a log's verifier key (repeat the option to give both)",
        ),
        (key) => key,
      ),
    )
    .addOption(
      new Option('--token <jwt>', 'token of a login, instead of an API key; better in TALLYSTICK_TOKEN'),
    )
    .addOption(new Option('--data <dir>', 'directory of an embedded store, which this command opens itself'))
    .addOption(new Option('--tenant <id>', 'tenant whose records are meant'))
    .addOption(new Option('--json', 'write JSON instead of tables'))
    .addOption(new Option('-q, --quiet', 'hide progress and notes'))
    .addOption(new Option('--color', 'always use colour'))
    .addOption(new Option('--no-color', 'never use colour'))
    .addHelpText('after', helpEnd)
    .exitOverride()
    .showSuggestionAfterError(true);
  program.setOptionValue('color', undefined);
  for (const [group, commands] of commandGroups) {
    program.commandsGroup(group);
    for (const register of commands) register(program, run);
  }
  for (const command of withSubcommands(program)) {
    refuseLostValues(command);
    // Added last, so that the root's is in the last group.
    if (command.commands.length > 0) command.helpCommand('help [command]', 'print help for a command');
  }
  return program;
}

/**
 * Whether a command line is a hook's, also if it has a mistake: its first word that is a command is `hook`. Options and their values
 * may stand before it.
 */
export function isHook(argv: readonly string[]): boolean {
  if (!argv.includes('hook')) return false;
  const { options, commands } = createProgram(() => {});
  const takesValue = (word: string | undefined) =>
    options.some((option) => option.long === word && option.required);
  const first = argv.find(
    (word, at) => !takesValue(argv[at - 1]) && commands.some((command) => command.name() === word),
  );
  return first === 'hook';
}

/**
 * Runs one command line. Never throws: it reports a failure on stderr.
 *
 * @returns the exit code
 */
export async function runCli(argv: readonly string[], processContext: ProcessContext): Promise<number> {
  const exitCode = await runCommandLine(argv, processContext);
  return isHook(argv) ? hookExitCode(exitCode) : exitCode;
}

async function runCommandLine(argv: readonly string[], processContext: ProcessContext): Promise<number> {
  let exitCode: number = exitCodes.ok;
  let terminal = new Terminal(processContext);
  const program = createProgram((command, action, traits) => {
    command.action(async () => {
      const options = command.optsWithGlobals();
      const context = createContext(processContext, options as GlobalOptions, traits);
      terminal = context.terminal;
      exitCode = (await action(context, options as never, command.args)) ?? exitCodes.ok;
    });
  });
  for (const command of withSubcommands(program)) {
    command.configureOutput({
      writeOut: (text) => void terminal.write(text),
      writeErr: (text) => terminal.writeNotes(text),
      // The catch below reports errors in our own form.
      outputError: () => {},
      getOutHasColors: () => false,
      getErrHasColors: () => false,
      getOutHelpWidth: () => terminal.width,
      getErrHelpWidth: () => terminal.width,
    });
  }
  try {
    await program.parseAsync([...argv], { from: 'user' });
  } catch (error) {
    exitCode = reportFailure(error, terminal);
  }
  // commander does not wait until help is written.
  await terminal.write('');
  const { outputFailure } = terminal;
  if (outputFailure === undefined) return exitCode;
  const failedWrite = reportFailure(outputFailure, terminal);
  return exitCode === exitCodes.ok ? failedWrite : exitCode;
}

/** Reports on stderr why a command line failed, and returns the exit code. */
function reportFailure(error: unknown, terminal: Terminal): number {
  if (error instanceof CommanderError) {
    if (error.exitCode === 0) return exitCodes.ok;
    // No command was named: commander has written the help to stderr.
    if (error.code === 'commander.help') return exitCodes.usage;
  }
  const isUsage = error instanceof CommanderError;
  const failure = describeFailure(isUsage ? usageError(error) : error);
  terminal.fail(failure);
  return failure.exitCode;
}

/** A usage error of commander. Its suggestion, which commander writes in brackets on a second line, becomes the hint. */
function usageError({ code, message }: CommanderError): CliError {
  const [what, suggestion] = message.replace(/^error: /, '').split('\n');
  const hint = suggestion?.replace(/^\((.*)\)$/, '$1').replace(/^Did/, 'did') ?? hints[code];
  return new CliError('USAGE', what!, hint === undefined ? {} : { hint });
}

/** What to do after a usage error for which commander has no suggestion, by commander's code. */
const hints: Readonly<Record<string, string>> = {
  'commander.unknownOption':
    '--help lists the options; a search or a value that begins with - comes last, behind --',
};

function* withSubcommands(command: Command): Generator<Command> {
  yield command;
  for (const child of command.commands) yield* withSubcommands(child);
}

/** The version in package.json, which is one level above both src and dist. */
function version(): string {
  const text = readFileSync(new URL('../package.json', import.meta.url), 'utf8');
  return (JSON.parse(text) as { version: string }).version;
}
