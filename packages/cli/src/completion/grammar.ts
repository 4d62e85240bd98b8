import type { Command } from 'commander';

/** What a shell completes: one node a command. */
export interface Grammar {
  /** The words that lead here, without the program's name. */
  readonly path: readonly string[];
  readonly commands: readonly { readonly name: string; readonly summary: string }[];
  readonly options: readonly OptionGrammar[];
  /** Words that the first argument may be; none where it is free, and then files are offered. */
  readonly choices: readonly string[];
  readonly children: readonly Grammar[];
}

interface OptionGrammar {
  readonly long: string;
  readonly summary: string;
  readonly takesValue: boolean;
  readonly choices: readonly string[];
}

/** The grammar of a program, read from the program itself, so that the two can't drift apart. */
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

/** Options that are followed by a value, anywhere: the word after one of them is no command. */
export function valuedOptions(grammar: Grammar): readonly string[] {
  const valued = [...everyNode(grammar)].flatMap(({ options }) =>
    options.filter(({ takesValue }) => takesValue),
  );
  return [...new Set(valued.map(({ long }) => long))];
}

/** The words that may follow an option, by command and option: `import --format`. */
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
