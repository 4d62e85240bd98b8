import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { expect, test } from 'vitest';
import { wordsOf } from './followed-document.ts';
import { tally } from './run-tally.ts';

/** Every command line that the documents show must be one that the program understands. */
const root = resolve(import.meta.dirname, '../../..');
const documents = [
  'README.md',
  'CONTRIBUTING.md',
  'packages/cli/README.md',
  ...readdirSync(join(root, 'docs'), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.md'))
    .map((name) => `docs/${name}`),
];

/** The command lines of a document: in code blocks, one per line, and in backticks. */
function commandLinesIn(document: string): string[] {
  const text = readFileSync(join(root, document), 'utf8').replaceAll('\\\n', ' ');
  const found = text.matchAll(/(?:^ *|`|&& )(?:npx tallystick|npx tally|tally) ([a-z][^`\n&]*)/gm);
  return [...found].map(([, line]) => line!.replace(/ #.*/, '').trim());
}

const shown = documents.flatMap((document) =>
  commandLinesIn(document).map((line) => [document, line] as const),
);

/** The line of a help text that begins with this command or option. */
const entryOf = (name: string) => new RegExp(`^  ${name}\\b`, 'm');

test('the documents show command lines', () => {
  expect(shown.length).toBeGreaterThan(40);
});

test.each(shown)('%s: tally %s', async (_, line) => {
  const words = wordsOf(line);
  const [command, subcommand] = words;
  const { stdout: overview } = await tally(['--help']);
  expect(overview).toMatch(entryOf(command!));
  let { stdout: help } = await tally([command!, '--help']);
  if (help.includes('\nCommands:\n') && /^[a-z]/.test(subcommand ?? '')) {
    expect(help).toMatch(entryOf(subcommand!));
    help = (await tally([command!, subcommand!, '--help'])).stdout;
  }
  const options = words.filter((word) => /^--?[a-z]/.test(word));
  expect(options.filter((option) => !new RegExp(`${option}\\b`).test(help))).toEqual([]);
});
