import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { isSource, listTree } from './source-files.ts';

/** The files of the command line that may name the streams of the process. */
const MAY_WRITE = ['terminal/terminal.ts', 'process-context.ts', 'main.ts'];

// Not the path `/console/`, nor the member `console` of the options of logins.
const STREAM = /\b(?:stdout|stderr|styleText|writeSync)\b|(?<!\/)\bconsole\b(?!\s*\}|\?\.)/;
const COMMENT = /^\s*(?:\/\/|\/?\*)/;

/**
 * One line for each place in the command line that could write to the terminal without the filter of `Terminal`. Events, names
 * and messages of others pass there, so a second writer would let them move the cursor or hide text.
 */
export function terminalWriteViolations(root: string): string[] {
  const source = join(root, 'packages/cli/src');
  return listTree(source)
    .filter((file) => isSource(file) && !MAY_WRITE.some((name) => file === join(source, name)))
    .flatMap((file) =>
      readFileSync(file, 'utf8')
        .split('\n')
        .flatMap((line, at) => {
          const name = COMMENT.test(line)
            ? undefined
            : STREAM.exec(line.replace(/'(?:[^'\\]|\\.)*'/g, "''"))?.[0];
          return name === undefined
            ? []
            : [`${file}:${at + 1}: ${name}: only terminal/terminal.ts writes to the terminal`];
        }),
    )
    .map((message) => message.replace(`${root}/`, ''));
}
