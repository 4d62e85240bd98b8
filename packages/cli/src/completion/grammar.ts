import type { Command } from 'commander';

// Why not a library: omelette (MIT) was last published in 2024, needs a second description of all commands, and starts Node.js at
// each press of TAB. @bomb.sh/tab (MIT) reads commander's commands, but it is a 0.0 version and starts Node.js at each TAB too.
// Our scripts contain all words, so a TAB starts no process. They are generated from the program, so they are complete.

/** What a shell completes: one node per command. */
export interface Grammar {
  /** The words of the command, without the program's name. */
  readonly path: readonly string[];
  readonly commands: readonly { readonly name: string; readonly summary: string }[];
  readonly options: readonly OptionGrammar[];
  /** Values of the first argument. If it is empty, the shell offers files. */
  readonly choices: readonly string[];
  readonly children: readonly Grammar[];
}

interface OptionGrammar {
  readonly long: string;
  readonly summary: string;
  readonly takesValue: boolean;
  readonly choices: readonly string[];
}

/** Reads the grammar from the program itself, so that the two are always the same. */
export function grammarOf(
  command: Command,
  inherited: readonly OptionGrammar[] = [],
  path: readonly string[] = [],
): Grammar {
  const own = command.options
    .filter(({ long, hidden }) => long !== undefined && long !== null && !hidden)
    .map(({ long, description, flags, argChoices }) => ({
      long: long!,
      summary: firstSentence(description),
      takesValue: /[<[]/.test(flags),
      choices: argChoices ?? [],
    }));
  const known = new Set(own.map(({ long }) => long));
  const options = [...own, ...inherited.filter(({ long }) => !known.has(long))];
  return {
    path,
    commands: command.commands.map((child) => ({
      name: child.name(),
      summary: firstSentence(child.summary() || child.description()),
    })),
    options,
    choices: command.registeredArguments[0]?.argChoices ?? [],
    children: command.commands.map((child) => grammarOf(child, options, [...path, child.name()])),
  };
}

export function* everyNode(grammar: Grammar): Generator<Grammar> {
  yield grammar;
  for (const child of grammar.children) yield* everyNode(child);
}

/** All options of all commands that take a value. The word after such an option is not a command. */
export function valuedOptions(grammar: Grammar): readonly string[] {
  const valued = [...everyNode(grammar)].flatMap(({ options }) =>
    options.filter(({ takesValue }) => takesValue),
  );
  return [...new Set(valued.map(({ long }) => long))];
}

/** The values of options, by command and option: `import --format`. */
export function valueChoices(
  grammar: Grammar,
): readonly (readonly [where: string, choices: readonly string[]])[] {
  return [...everyNode(grammar)].flatMap(({ path, options }) =>
    options
      .filter(({ choices }) => choices.length > 0)
      .map(({ long, choices }) => [[...path, long].join(' '), choices] as const),
  );
}

function firstSentence(text: string): string {
  return text.split(/[:;.](?:\s|$)|\n/)[0]!.trim();
}
