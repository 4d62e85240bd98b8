import { everyNode, type Grammar, valueChoices, valuedOptions } from './grammar.ts';

/** A completion script for zsh, which shows a description for each word. */
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
  const values = valueChoices(grammar)
    .map(([where, list]) => `    ${quoted(where)}) compadd -- ${list.join(' ')}; return ;;`)
    .join('\n');
  const valued = valuedOptions(grammar).join('|');
  const paths = nodes.map(({ path }) => quoted(path.join(' '))).join('|');
  return `#compdef tally tallystick
_tally() {
  local path_='' word next at=2 prev="\${words[CURRENT-1]}"
  local -a words_ flags
  while (( at < CURRENT )); do
    word=\${words[at]}
    (( at++ ))
    case "$word" in
      ${valued}) (( at++ )); continue ;;
      -*) continue ;;
    esac
    next="\${path_:+$path_ }$word"
    case "$next" in ${paths}) path_=$next ;; esac
  done
  case "\${path_:+$path_ }$prev" in
${values}
  esac
  case "$prev" in ${valued}) _files; return ;; esac
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
