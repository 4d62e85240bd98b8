import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';

interface ProcessRow {
  pid: number;
  parent: number;
  /** As ps shows it. The first letter is the state: R, S, T (stopped), Z (zombie) … */
  state: string;
}

/** False for a zombie: it holds no resources any more, and in a container it may stay a zombie. */
export function isAlive(pid: number): boolean {
  const row = processes().find((candidate) => candidate.pid === pid);
  return row !== undefined && !row.state.startsWith('Z');
}

/** True for a process that SIGSTOP has stopped. */
export function isStopped(pid: number): boolean {
  return processes().some((row) => row.pid === pid && row.state.startsWith('T'));
}

export function childrenOf(pid: number): number[] {
  return processes()
    .filter((row) => row.parent === pid && !row.state.startsWith('Z'))
    .map((row) => row.pid);
}

/** Sends a signal. @returns false if there is no such process */
export function signal(pid: number, name: NodeJS.Signals): boolean {
  try {
    process.kill(pid, name);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return false;
    throw error;
  }
}

// Linux has /proc; slim container images have no ps.
function processes(): ProcessRow[] {
  if (process.platform !== 'linux') return fromPs();
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => {
      try {
        const stat = readFileSync(`/proc/${name}/stat`, 'utf8');
        // The command name may contain spaces and parentheses. The fields after its last parenthesis do not.
        const [state = '', parent = ''] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
        return [{ pid: Number(name), parent: Number(parent), state }];
      } catch {
        return [];
      }
    });
}

function fromPs(): ProcessRow[] {
  const { stdout } = spawnSync('ps', ['-A', '-o', 'pid=,ppid=,stat='], { encoding: 'utf8' });
  return stdout
    .trim()
    .split('\n')
    .map((line) => {
      const [pid = '', parent = '', state = ''] = line.trim().split(/\s+/);
      return { pid: Number(pid), parent: Number(parent), state };
    });
}
