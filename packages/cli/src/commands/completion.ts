import { Argument, type Command } from 'commander';
import { bashCompletion } from '../completion/bash.ts';
import { fishCompletion } from '../completion/fish.ts';
import { grammarOf } from '../completion/grammar.ts';
import { zshCompletion } from '../completion/zsh.ts';
import type { Register } from '../context.ts';

const shells = { bash: bashCompletion, zsh: zshCompletion, fish: fishCompletion } as const;

/** `tally completion`: what the shell needs to complete our commands; printed, so that the user decides where it goes. */
export const registerCompletion: Register = (program, run) => {
  const command = program
    .command('completion')
    .summary('write a completion script for your shell')
    .description(
      'Writes a completion script:\n' +
        '  bash: eval "$(tally completion bash)"  in ~/.bashrc\n' +
        '  zsh:  source <(tally completion zsh)   in ~/.zshrc\n' +
        '  fish: tally completion fish > ~/.config/fish/completions/tally.fish',
    )
    .addArgument(new Argument('<shell>').choices(Object.keys(shells)));
  run(command, async ({ terminal }, _, [shell]) => {
    await terminal.write(shells[shell as keyof typeof shells](grammarOf(rootOf(command))));
    return undefined;
  });
};

function rootOf(command: Command): Command {
  let root = command;
  while (root.parent !== null) root = root.parent;
  return root;
}
