import { constants } from 'node:os';
import { CliError } from './errors.ts';

import type { ProcessContext } from './process-context.ts';
import { isHook, runCli } from './program.ts';

/** Ends the process with the exit code that a shell reports for a signal. */
const endWith = (signal: NodeJS.Signals) => process.exit(128 + constants.signals[signal]);

/** @throws {CliError} `INPUT_UNREADABLE` if another program removed the directory */
function currentDirectory(): string {
  try {
    return process.cwd();
  } catch (cause) {
    throw new CliError('INPUT_UNREADABLE', 'the current directory does not exist any more', { cause });
  }
}

/** Runs this process's command line. Sets the exit code and lets the process end by itself, so that its output is written. */
export async function main(): Promise<void> {
  const stopping = new AbortController();
  /** Whether the command has asked for the stop signal. A command that never does has nothing to finish. */
  let watchesStop = false;
  const stop = (signal: NodeJS.Signals) => {
    if (!watchesStop) endWith(signal);
    // The second signal finds no handler, so it ends the process at once. In a container the command is process 1, for
    // which Linux ignores a signal without a handler: there the second signal needs a handler that exits.
    process.removeListener('SIGINT', stop).removeListener('SIGTERM', stop);
    if (process.pid === 1) process.on('SIGINT', endWith).on('SIGTERM', endWith);
    stopping.abort(signal);
  };
  process.on('SIGINT', stop).on('SIGTERM', stop);
  // Without a listener a failed write would end the process, with an exit code that says nothing about the command. The
  // terminal keeps what failed on stdout; a failure on stderr can't be reported.
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {});
  const processContext: ProcessContext = {
    stdin: process.stdin,
    stdout: process.stdout,
    stderr: process.stderr,
    env: process.env,
    get cwd() {
      return currentDirectory();
    },
    now: Date.now,
    get stopped() {
      watchesStop = true;
      return stopping.signal;
    },
  };
  const argv = process.argv.slice(2);
  const exitCode = await runCli(argv, processContext);
  // A request that hangs would keep the process until the agent ends it, and runs the tool.
  if (isHook(argv)) process.exit(exitCode);
  process.exitCode = exitCode;
  // The command has its result. A signal during the last clean-up ends the process, and does not change the exit code.
  const end = () => process.exit(exitCode);
  process.removeListener('SIGINT', stop).removeListener('SIGTERM', stop).on('SIGINT', end).on('SIGTERM', end);
}
