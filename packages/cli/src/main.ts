import { constants } from 'node:os';
import { hookExitCodes, isHook } from './hook/exit-codes.ts';
import type { ProcessContext } from './process-context.ts';
import { runCli } from './program.ts';

/** Ends the process with the exit code that a shell reports for a signal. */
const endWith = (signal: NodeJS.Signals) => process.exit(128 + constants.signals[signal]);

function denyFor(error: Error): never {
  process.stderr.write(`error: the hook failed: ${error.name} (INTERNAL)\n`);
  process.exit(hookExitCodes.denied);
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
    cwd: process.cwd(),
    now: Date.now,
    get stopped() {
      watchesStop = true;
      return stopping.signal;
    },
  };
  const argv = process.argv.slice(2);
  // An error that nothing catches ends Node with 1, which the agent of a hook takes for permission.
  if (isHook(argv)) process.on('uncaughtException', (error) => denyFor(error));
  const exitCode = await runCli(argv, processContext);
  // A request that hangs would keep the process until the agent ends it, and runs the tool.
  if (isHook(argv)) process.exit(exitCode);
  process.exitCode = exitCode;
  // The command has its result. A signal during the last clean-up ends the process, and does not change the exit code.
  const end = () => process.exit(exitCode);
  process.removeListener('SIGINT', stop).removeListener('SIGTERM', stop).on('SIGINT', end).on('SIGTERM', end);
}
