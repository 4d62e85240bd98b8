import { constants } from 'node:os';
import { runCli } from './program.ts';
import type { Surroundings } from './terminal/terminal.ts';

// As a shell reports a process that a signal ended.
const end = (signal: NodeJS.Signals) => process.exit(128 + constants.signals[signal]);

/** The process's own command line. Sets the exit code and lets the process end by itself, so that output drains. */
export async function main(): Promise<void> {
  const stopping = new AbortController();
  // A command that never looks whether it is to stop has nothing to finish first.
  let heeded = false;
  const stop = (signal: NodeJS.Signals) => {
    if (!heeded) end(signal);
    // The second signal finds no handler and ends the process at once. The first process of a container it would not
    // end: the system spares that one every signal that it does not handle.
    process.removeListener('SIGINT', stop).removeListener('SIGTERM', stop);
    if (process.pid === 1) process.on('SIGINT', end).on('SIGTERM', end);
    stopping.abort(signal);
  };
  process.on('SIGINT', stop).on('SIGTERM', stop);
  // `tally events | head` closes our output when it has seen enough: that is an end, not a fault.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') process.exit(process.exitCode ?? 0);
  });
  const surroundings: Surroundings = {
    stdin: process.stdin,
    stdout: process.stdout,
    stderr: process.stderr,
    env: process.env,
    cwd: process.cwd(),
    now: Date.now,
    get stopped() {
      heeded = true;
      return stopping.signal;
    },
  };
  process.exitCode = await runCli(process.argv.slice(2), surroundings);
  process.removeListener('SIGINT', stop).removeListener('SIGTERM', stop);
}
