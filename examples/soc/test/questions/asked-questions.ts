import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** A question of the document, with the commands that answer it. */
export interface AskedQuestion {
  readonly title: string;
  readonly answers: readonly {
    /** The command line. */
    readonly line: string;
    /** Words of the command line, without the name of the program. */
    readonly command: readonly string[];
    /** Lines that the document shows of its output; a line with an ellipsis alone stands for others. */
    readonly shown: readonly string[];
  }[];
  /** Paths of requests that answer it too. */
  readonly requests: readonly string[];
}

/** The questions in docs/questions.md. */
export function askedQuestions(): AskedQuestion[] {
  const text = readFileSync(join(import.meta.dirname, '../../../../docs/questions.md'), 'utf8');
  const [, ...sections] = text.split(/^## (?=\d+\. )/m);
  return sections.map((section) => ({
    title: section.slice(0, section.indexOf('\n')),
    answers: Array.from(section.matchAll(/^```sh\n(tally .*)\n```\n(?:\n```text\n([^`]*)```\n)?/gm)).map(
      ([, line, output = '']) => ({
        line: line!,
        command: wordsOf(line!).slice(1),
        shown: output.split('\n').filter(Boolean),
      }),
    ),
    requests: Array.from(section.matchAll(/^`?GET (\/v1\/\S+?)`?$/gm)).map(([, path]) => path!),
  }));
}

/** Splits a command line at spaces. What is in single quotes is one word, as for a shell. */
function wordsOf(line: string): string[] {
  return Array.from(line.matchAll(/'([^']*)'|\S+/g), ([word, quoted]) => quoted ?? word);
}
