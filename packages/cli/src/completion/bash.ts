import { everyNode, type Grammar, valueChoices, valuedOptions } from './grammar.ts';

/** A completion script for bash. It finds the command in the words before the cursor and offers what may follow it. */
export function bashCompletion(grammar: Grammar): string {
  const nodes = [...everyNode(grammar)];
  const words = nodes
    .map((node) => {
      const follow = [...node.commands.map(({ name }) => name), ...node.choices].join(' ');
      const flags = node.options.map(({ long }) => long).join(' ');
      return `    '${node.path.join(' ')}') words='${follow}'; flags='${flags}' ;;`;
    })
    .join('\n');
  const values = valueChoices(grammar)
    .map(
      ([where, list]) => `    '${where}') COMPREPLY=($(compgen -W '${list.join(' ')}' -- "$cur")); return ;;`,
    )
    .join('\n');
  const valued = valuedOptions(grammar).join('|');
  const paths = nodes.map(({ path }) => `'${path.join(' ')}'`).join('|');
  return `# bash completion for tally
_tally() {
  local cur=\${COMP_WORDS[COMP_CWORD]} prev=\${COMP_WORDS[COMP_CWORD-1]} path='' at=1 word next words flags
  while [ "$at" -lt "$COMP_CWORD" ]; do
    word=\${COMP_WORDS[at]}
    at=$((at + 1))
    case "$word" in
      ${valued}) at=$((at + 1)); continue ;;
      -*) continue ;;
    esac
    next="\${path:+$path }$word"
    case "$next" in ${paths}) path=$next ;; esac
  done
  case "\${path:+$path }$prev" in
${values}
  esac
  case "$prev" in ${valued}) compopt -o default; COMPREPLY=(); return ;; esac
  case "$path" in
${words}
  esac
  case "$cur" in
    -*) COMPREPLY=($(compgen -W "$flags" -- "$cur")) ;;
    *) COMPREPLY=($(compgen -W "$words" -- "$cur")); [ -n "$words" ] || compopt -o default ;;
  esac
}
complete -F _tally tally tallystick
`;
}
