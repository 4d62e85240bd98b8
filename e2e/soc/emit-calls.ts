import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** One place in the services where an event is recorded. */
export interface EmitCall {
  /** Relative to the root of the repository. */
  readonly file: string;
  readonly line: number;
  /** Where the recorder is named, in characters from the beginning of the file. */
  readonly start: number;
  readonly recorder: string;
  readonly type: string;
}

/** How every service records an event. */
const form = /\b(this\.#recorder|recorder)\.emit\(\s*([^,]+),/g;

/** All calls that record an event, in `examples/soc/src`. */
export function emitCalls(root: string): EmitCall[] {
  return globSync('examples/soc/src/**/*.ts', { cwd: root })
    .toSorted()
    .flatMap((file) => {
      const source = readFileSync(join(root, file), 'utf8');
      return [...source.matchAll(form)].map(({ index, 1: recorder, 2: type }) => ({
        file,
        line: source.slice(0, index).split('\n').length,
        start: index,
        recorder: recorder!,
        type: type!.trim(),
      }));
    });
}

/** The source without the record of one call: an id is still made, and nothing is recorded. */
export function withoutRecord(
  source: string,
  { start, recorder }: Pick<EmitCall, 'start' | 'recorder'>,
): string {
  const id = '(..._event) => globalThis.crypto.randomUUID()';
  const muted = `({ emit: ${id} })`;
  return source.slice(0, start) + muted + source.slice(start + recorder.length);
}
