import { execFileSync } from 'node:child_process';
import { basename, join } from 'node:path';

/**
 * Compiles a C file to a library that another process loads with `LD_PRELOAD`. The library sees or changes system calls of that process.
 *
 * @param dir the folder of the compiled library
 * @returns the path of the library; `undefined` without a C compiler, or on another system than Linux
 */
export function compilePreload(source: string, dir: string): string | undefined {
  if (process.platform !== 'linux') return undefined;
  const library = join(dir, `${basename(source, '.c')}.so`);
  for (const compiler of ['cc', 'gcc', 'clang', 'tcc']) {
    try {
      execFileSync(compiler, ['-shared', '-fPIC', '-nostdlib', '-o', library, source], { stdio: 'pipe' });
      return library;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    }
  }
  return undefined;
}
