import { InvalidArgumentError } from 'commander';

/** Reads an option that is a whole number from 1; for commander. */
export function wholeNumber(text: string): number {
  if (!/^[1-9]\d{0,14}$/.test(text)) throw new InvalidArgumentError('It must be a whole number.');
  return Number(text);
}
