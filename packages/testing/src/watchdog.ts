import { spawn } from 'node:child_process';
import type { Socket } from 'node:net';

// `read` returns when the test process has ended in any way, because the kernel then closes its end of the pipe. The server gets CONT
// because a test may have left it and its children stopped.
const SCRIPT = `
read -r _
if pid=$(cat "$1/running.pid" 2>/dev/null); then
  kill -"$3" "$pid"; kill -CONT "$pid" $(cat "/proc/$pid/task/$pid/children")
  i=0
  while kill -0 "$pid" && [ $i -lt 60 ]; do sleep 0.1; i=$((i+1)); done
  kill -KILL "$pid"
fi 2>/dev/null
case "$2" in
  remove) rm -rf "$1" ;;
  unmount) umount --lazy "$1"; rmdir "$1" "$(dirname "$1")" ;;
esac
`;

export interface Watch {
  /** The signal that ends the server at once. QUIT is PostgreSQL's immediate shutdown, but only a thread dump in a JVM. */
  readonly signal: 'QUIT' | 'KILL';
  /** What is done with the directory afterwards. */
  readonly afterwards: 'keep' | 'remove' | 'unmount';
}

/**
 * Starts a small process that waits for the end of this one. It then ends the server whose process id is in `dir`/running.pid, and
 * removes `dir` if it should. This process can't do that itself: a worker that is killed runs no exit hook.
 *
 * @returns a function that ends the watchdog
 */
export function startWatchdog(dir: string, { signal, afterwards }: Watch): () => void {
  // In its own session, so that Ctrl-C ends the tests and not the watchdog.
  const child = spawn('/bin/sh', ['-c', SCRIPT, 'sh', dir, afterwards, signal], {
    stdio: ['pipe', 'ignore', 'ignore'],
    cwd: '/',
    detached: true,
  });
  child.unref();
  (child.stdin as Socket).unref();
  return () => void child.kill('SIGKILL');
}
