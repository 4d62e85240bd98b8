import { everyNode, type Grammar } from './grammar.ts';

/** A completion script for zsh, with a description beside each word. */
export function zshCompletion(grammar: Grammar): string {
  const nodes = [...everyNode(grammar)];
  const cases = nodes
    .map((node) => {
      const words = node.commands.map(({ name, summary }) => described(name, summary));
      const choices = node.choices.map((choice) => quoted(choice));
      const flags = node.options.map(({ long, summary }) => described(long, summary));
      return `    ${quoted(node.path.join(' '))}) words_=(${[...words, ...choices].join(' ')}); flags=(${flags.join(' ')}) ;;`;
    })
    .join('\n');
  const valued = new Map(
    nodes.flatMap(({ options }) =>
      options.filter(({ takesValue }) => takesValue).map((o) => [o.long, o.choices]),
    ),
  );
  const names = [...valued.keys()].join('|');
  const offered = [...valued]
    .filter(([, choices]) => choices.length > 0)
    .map(([long, choices]) => `    ${long}) compadd -- ${choices.join(' ')}; return ;;`)
    .join('\n');
  const paths = nodes.map(({ path }) => quoted(path.join(' '))).join('|');
  return `#compdef tally tallystick
_tally() {
  local path_='' word next at=2
  local -a words_ flags
  case "\${words[CURRENT-1]}" in
${offered}
    ${names}) _files; return ;;
  esac
  while (( at < CURRENT )); do
    word=\${words[at]}
    (( at++ ))
    case "$word" in
      ${names}) (( at++ )); continue ;;
      -*) continue ;;
    esac
    next="\${path_:+$path_ }$word"
    case "$next" in ${paths}) path_=$next ;; esac
  done
  case "$path_" in
${cases}
  esac
  if [[ "\${words[CURRENT]}" == -* ]]; then
    _describe 'option' flags
  elif (( \${#words_} )); then
    _describe 'command' words_
  else
    _files
  fi
}
compdef _tally tally tallystick
`;
}

const quoted = (text: string) => `'${text.replaceAll("'", "'\\''")}'`;
const described = (name: string, summary: string) => quoted(`${name.replaceAll(':', '\\:')}:${summary}`);
