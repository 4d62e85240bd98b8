import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

const root = resolve(import.meta.dirname, '../../..');

/**
 * The command lines in the shell blocks of a document, for a test that carries them out in their order, word for word. A block that a
 * test machine can't carry out has a comment before it, `<!-- not run by the tests: REASON -->`; it is left out.
 */
export class FollowedDocument {
  /** The reasons of the blocks that are left out. */
  readonly reasons: readonly string[];
  readonly #path: string;
  readonly #lines: string[];

  constructor(path: string) {
    this.#path = path;
    const blocks = readFileSync(join(root, path), 'utf8').matchAll(
      /(?:^ *<!-- not run by the tests: *(?<reason>.*?) *-->\n+)?^(?<indent> *)```sh\n(?<lines>.*?)^ *```$/gms,
    );
    const found = Array.from(blocks, ({ groups }) => groups!);
    if (found.some(({ reason }) => reason === ''))
      throw new Error(`${path}: a block is left out without a reason`);
    this.reasons = found.flatMap(({ reason }) => (reason === undefined ? [] : [reason]));
    this.#lines = found
      .filter(({ reason }) => reason === undefined)
      .flatMap(({ lines }) => lines!.replaceAll('\\\n', ' ').split('\n'))
      .map((line) => line.trim())
      .filter(Boolean);
  }

  /** The next command line of the document, without the name of its program. It must begin with these words. */
  next(words: string): string[] {
    const line = this.#lines.shift();
    if (line !== words && line?.startsWith(`${words} `) !== true)
      throw new Error(`${this.#path}: the next command is ${line ?? 'none'}, and not ${words}`);
    return wordsOf(line).slice(1);
  }

  /** The next command lines, as long as they begin with these words: at least one. */
  nextAll(words: string): string[][] {
    const found = [this.next(words)];
    while (this.#lines[0]?.startsWith(`${words} `)) found.push(this.next(words));
    return found;
  }

  /** The command lines that no test has carried out so far. */
  get left(): readonly string[] {
    return this.#lines;
  }
}

/** Splits a command line at spaces. What is in single quotes is one word, as for a shell. */
export function wordsOf(line: string): string[] {
  return Array.from(line.matchAll(/'([^']*)'|\S+/g), ([word, quoted]) => quoted ?? word);
}
