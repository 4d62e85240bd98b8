import { Argument, type Command } from 'commander';
import { bashCompletion } from '../../completion/bash.ts';
import { fishCompletion } from '../../completion/fish.ts';
import { grammarOf } from '../../completion/grammar.ts';
import { zshCompletion } from '../../completion/zsh.ts';
import type { Register } from '../../context.ts';
import { addExamples } from '../options/examples.ts';

const shells = { bash: bashCompletion, zsh: zshCompletion, fish: fishCompletion } as const;

/** `tally completion`: writes the script to stdout, so that the user decides where to install it. */
export const registerCompletion: Register = (program, run) => {
  const command = program
    .command('completion')
    .summary('write a completion script for your shell')
    .description(
      'Writes a script that lets your shell complete commands and options. Install it like this:\n' +
        '  bash: eval "$(tally completion bash)"  in ~/.bashrc\n' +
        '  zsh:  source <(tally completion zsh)   in ~/.zshrc\n' +
        '  fish: tally completion fish > ~/.config/fish/completions/tally.fish',
    )
    .addArgument(new Argument('<shell>', 'your shell').choices(Object.keys(shells)));
  addExamples(command, 'tally completion bash');
  run(command, async ({ terminal }, _, [shell]) => {
    await terminal.bytes(shells[shell as keyof typeof shells](grammarOf(rootOf(command))));
    return undefined;
  });
};

function rootOf(command: Command): Command {
  let root = command;
  while (root.parent !== null) root = root.parent;
  return root;
}
