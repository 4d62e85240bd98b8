import { spawn } from 'node:child_process';
import type { Socket } from 'node:net';

// The read ends when the test process is gone, however it went: the kernel closes its end of the pipe.
// CONT because a test may have left the server stopped, with all its children.
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
  /** What ends the server at once: QUIT is PostgreSQL's immediate shutdown, and a thread dump of a JVM. */
  readonly signal: 'QUIT' | 'KILL';
  /** What becomes of the directory. */
  readonly afterwards: 'keep' | 'remove' | 'unmount';
}

/**
 * Starts a small process that outlives this one just long enough to end the server named in `dir`/running.pid, and to
 * remove `dir` if asked: a worker that is killed runs no exit hook of its own.
 *
 * @returns a function that calls the watchdog off
 */
export function startWatchdog(dir: string, { signal, afterwards }: Watch): () => void {
  // A session of its own, so that Ctrl-C reaches the tests and not what cleans up after them.
  const child = spawn('/bin/sh', ['-c', SCRIPT, 'sh', dir, afterwards, signal], {
    stdio: ['pipe', 'ignore', 'ignore'],
    cwd: '/',
    detached: true,
  });
  child.unref();
  (child.stdin as Socket).unref();
  return () => void child.kill('SIGKILL');
}
