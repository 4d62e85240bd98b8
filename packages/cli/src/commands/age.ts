import { InvalidArgumentError } from 'commander';

const unitMs = { m: 60_000, h: 3_600_000, d: 86_400_000 } as const;

/** Reads an option that is an age, such as 30d, 12h or 5m, as milliseconds; for commander. */
export function age(text: string): number {
  const match = /^(0|[1-9]\d{0,5})([mhd])$/.exec(text);
  if (match === null) throw new InvalidArgumentError('It must be an age, such as 30d, 12h or 5m.');
  return Number(match[1]) * unitMs[match[2] as keyof typeof unitMs];
}
