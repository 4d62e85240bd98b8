import { readFileSync } from 'node:fs';
import { Command, CommanderError, Option } from 'commander';
import { registerApiKeys } from './commands/api-keys.ts';
import { registerCanonical } from './commands/canonical.ts';
import { registerCheckpoint } from './commands/checkpoint.ts';
import { registerCompletion } from './commands/completion.ts';
import { registerConfig } from './commands/config.ts';
import { registerDemo } from './commands/demo.ts';
import { registerDev } from './commands/dev.ts';
import { registerDlq } from './commands/dlq.ts';
import { registerEmit } from './commands/emit.ts';
import { registerEvents } from './commands/events.ts';
import { registerExport } from './commands/export.ts';
import { registerHash } from './commands/hash.ts';
import { registerImport } from './commands/import.ts';
import { registerLogKeys } from './commands/log-keys.ts';
import { registerMigrate } from './commands/migrate.ts';
import { registerProducers } from './commands/producers.ts';
import { registerReceipt } from './commands/receipt.ts';
import { registerRecover } from './commands/recover.ts';
import { registerServe } from './commands/serve.ts';
import { registerShow } from './commands/show.ts';
import { registerTail } from './commands/tail.ts';
import { registerTenants } from './commands/tenants.ts';
import { registerTopics } from './commands/topics.ts';
import { registerVerify } from './commands/verify.ts';
import { createContext, type GlobalOptions, type Register, type RunAction } from './context.ts';
import { CliError, describeFailure, exitCodes } from './errors.ts';
import { type Surroundings, Terminal } from './terminal/terminal.ts';

/** In the order of the help. */
const registrations: readonly (readonly [group: string, commands: readonly Register[]])[] = [
  ['Running:', [registerDemo, registerDev, registerServe, registerMigrate]],
  ['Writing:', [registerEmit, registerImport]],
  ['Reading:', [registerEvents, registerShow, registerTail]],
  ['Proving:', [registerVerify, registerCheckpoint, registerReceipt, registerExport, registerLogKeys]],
  [
    'Operating:',
    [registerTopics, registerTenants, registerProducers, registerApiKeys, registerDlq, registerRecover],
  ],
  ['For implementers:', [registerCanonical, registerHash]],
  ['Setting up:', [registerConfig, registerCompletion]],
];

const exitCodeHelp = `
Exit codes: 0 done or verified, 1 broken or partly refused, 2 not verifiable, 3 usage, 4 input or output failed.
Settings: flags, then TALLYSTICK_URL, TALLYSTICK_API_KEY, TALLYSTICK_TENANT and TALLYSTICK_DATA, then tally config.`;

/** The command line's grammar; `run` decides what becomes of a command's work. */
function createProgram(run: RunAction): Command {
  const program = new Command('tally')
    .description('Tamper-evident audit logging')
    .version(version(), '-V, --version', 'print the version')
    .helpOption('-h, --help', 'print help')
    .helpCommand('help [command]', 'print help for a command')
    .configureHelp({ showGlobalOptions: true, sortSubcommands: false })
    .addOption(new Option('--server <url>', 'a running service'))
    .addOption(
      new Option(
        '--key <key>',
        "API key for the service; or, to verify, a log's verifier key (both may be given)",
      ).argParser((key: string, before: string[] | undefined) => [...(before ?? []), key]),
    )
    .addOption(new Option('--data <dir>', 'directory of an embedded store'))
    .addOption(new Option('--tenant <id>', 'whose records'))
    .addOption(new Option('--json', 'write JSON instead of tables'))
    .addOption(new Option('-q, --quiet', 'no progress and no notes'))
    .addOption(new Option('--color', 'colour, whatever the terminal'))
    .addOption(new Option('--no-color', 'no colour'))
    .addHelpText('after', exitCodeHelp)
    .exitOverride()
    .showSuggestionAfterError(true);
  program.setOptionValue('color', undefined);
  for (const [group, commands] of registrations) {
    program.commandsGroup(group);
    for (const register of commands) register(program, run);
  }
  return program;
}

/**
 * Runs one command line. Never throws: a failure is told on stderr.
 *
 * @returns the exit code
 */
export async function runCli(argv: readonly string[], surroundings: Surroundings): Promise<number> {
  let exitCode: number = exitCodes.ok;
  let terminal = new Terminal(surroundings);
  const program = createProgram((command, action) => {
    command.action(async () => {
      const options = command.optsWithGlobals();
      const context = createContext(surroundings, options as GlobalOptions);
      terminal = context.terminal;
      exitCode = (await action(context, options as never, command.args)) ?? exitCodes.ok;
    });
  });
  for (const command of withSubcommands(program)) {
    command.configureOutput({
      writeOut: (text) => surroundings.stdout.write(text),
      writeErr: (text) => surroundings.stderr.write(text),
      // Told below, in our own form.
      outputError: () => {},
      getOutHasColors: () => false,
      getErrHasColors: () => false,
      getOutHelpWidth: () => terminal.width,
      getErrHelpWidth: () => terminal.width,
    });
  }
  try {
    await program.parseAsync([...argv], { from: 'user' });
    return exitCode;
  } catch (error) {
    if (error instanceof CommanderError) {
      if (error.exitCode === 0) return exitCodes.ok;
      // Help that was asked for by naming no command is already written, to stderr.
      if (error.code === 'commander.help') return exitCodes.usage;
      const failure = describeFailure(new CliError('USAGE', error.message.replace(/^error: /, '')));
      terminal.fail(failure);
      return failure.exitCode;
    }
    const failure = describeFailure(error);
    terminal.fail(failure);
    return failure.exitCode;
  }
}

function* withSubcommands(command: Command): Generator<Command> {
  yield command;
  for (const child of command.commands) yield* withSubcommands(child);
}

/** From package.json, which lies one level up both from src and from dist. */
function version(): string {
  const text = readFileSync(new URL('../package.json', import.meta.url), 'utf8');
  return (JSON.parse(text) as { version: string }).version;
}
