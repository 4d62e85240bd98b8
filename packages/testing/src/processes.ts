import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';

interface ProcessRow {
  pid: number;
  parent: number;
  /** First letter as in ps: R, S, T (stopped), Z (zombie) … */
  state: string;
}

/** False for a zombie: it holds nothing any more, and in a container nobody may ever reap it. */
export function isAlive(pid: number): boolean {
  const row = processes().find((candidate) => candidate.pid === pid);
  return row !== undefined && !row.state.startsWith('Z');
}

/** True for one that SIGSTOP holds. */
export function isStopped(pid: number): boolean {
  return processes().some((row) => row.pid === pid && row.state.startsWith('T'));
}

export function childrenOf(pid: number): number[] {
  return processes()
    .filter((row) => row.parent === pid && !row.state.startsWith('Z'))
    .map((row) => row.pid);
}

/** True when the process existed. */
export function signal(pid: number, name: NodeJS.Signals): boolean {
  try {
    process.kill(pid, name);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return false;
    throw error;
  }
}

// /proc where there is one, because slim container images come without ps.
function processes(): ProcessRow[] {
  if (process.platform !== 'linux') return fromPs();
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => {
      try {
        const stat = readFileSync(`/proc/${name}/stat`, 'utf8');
        // The command name may hold spaces and parentheses; the fields after its last one are plain.
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
