import { everyNode, type Grammar } from './grammar.ts';

/** A completion script for fish. */
export function fishCompletion(grammar: Grammar): string {
  const lines = [...everyNode(grammar)].flatMap((node) => {
    const here = conditionOf(node);
    return [
      ...node.commands.map(({ name, summary }) => line(here, `-f -a ${quoted(name)} -d ${quoted(summary)}`)),
      ...node.choices.map((choice) => line(here, `-f -a ${quoted(choice)}`)),
      ...node.options.map(({ long, summary, takesValue, choices }) => {
        const values = choices.length > 0 ? ` -x -a ${quoted(choices.join(' '))}` : takesValue ? ' -r' : '';
        return line(here, `-l ${long.slice(2)}${values} -d ${quoted(summary)}`);
      }),
    ];
  });
  return `# fish completion for tally\n${lines.map((text) => `complete -c tally ${text}\ncomplete -c tallystick ${text}\n`).join('')}`;
}

/** A fish condition: the words of the command were typed, and none of its subcommands follows. */
function conditionOf({ path, commands }: Grammar): string {
  const typed = path.map((word) => `__fish_seen_subcommand_from ${word}`);
  const below = commands.map(({ name }) => name).join(' ');
  if (path.length === 0) return '__fish_use_subcommand';
  return [...typed, ...(below === '' ? [] : [`not __fish_seen_subcommand_from ${below}`])].join('; and ');
}

const quoted = (text: string) => `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;
const line = (condition: string, rest: string) => `-n ${quoted(condition)} ${rest}`;
