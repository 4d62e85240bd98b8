import type { Command, Option } from 'commander';
import { CliError } from '../../errors.ts';

/** Options that keep every value that they are given. */
const collecting = new WeakSet<Option>();

/** Makes an option keep every value that it is given, in a list. */
export function collect<T>(option: Option, read: (text: string) => T): Option {
  collecting.add(option);
  return option.argParser((text: string, before: readonly T[] | undefined) => [
    ...(before ?? []),
    read(text),
  ]);
}

/**
 * Makes a command refuse values that would be lost without a word. Commander keeps the last value of an option that is
 * repeated, and the settings take an empty value for an absent one: `--tenant "$TENANT"` with an unset variable would
 * otherwise mean every tenant.
 */
export function refuseLostValues(command: Command): void {
  const seen = new Set<string>();
  for (const option of command.options) {
    if (option.isBoolean()) continue;
    const name = option.name();
    command.on(`option:${name}`, (value: string | null) => {
      if (value === '') throw new CliError('USAGE', `the value of --${name} is empty`);
      if (!option.variadic && !collecting.has(option) && seen.has(name)) {
        throw new CliError('USAGE', `--${name} is given twice`, { hint: 'give it once, with one value' });
      }
      seen.add(name);
    });
  }
}
