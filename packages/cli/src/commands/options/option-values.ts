import { InvalidArgumentError } from 'commander';
import { CliError } from '../../errors.ts';

/** Parsers for the values of options, as commander calls them. Each throws for a value that it can't read. */

/** A whole number from 1. */
export function wholeNumber(text: string): number {
  if (!/^[1-9]\d{0,14}$/.test(text)) throw new InvalidArgumentError('It must be a whole number from 1.');
  return Number(text);
}

/** A sequence number: a whole number from 0. */
export function sequenceNumber(text: string): number {
  if (!/^\d{1,15}$/.test(text)) throw new InvalidArgumentError('It must be a sequence number.');
  return Number(text);
}

/** A TCP port; 0 is any free one. */
export function portNumber(text: string): number {
  if (!/^\d{1,5}$/.test(text) || Number(text) > 65_535) {
    throw new InvalidArgumentError('It must be a port number: 0 to 65535.');
  }
  return Number(text);
}

const unitMs = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 } as const;

/**
 * A time as the service takes it: what begins with a year stays as it is written, and the service checks it. A day, such as 2026-03-01, is
 * its beginning in UTC. An age, such as 7d or -7d, is the time so long before now.
 *
 * @throws {CliError} `USAGE` for another text
 */
export function pointInTime(text: string, now: number): string {
  if (/^\d{4}-\d\d-\d\d$/.test(text)) return `${text}T00:00:00Z`;
  const given = text.replace(/^-/, '');
  if (isAge(given)) return new Date(now - age(given)).toISOString();
  if (/^\d{4}-/.test(text)) return text;
  throw new CliError('USAGE', `'${text}' is not a time`, {
    hint: 'write an age such as 30m, 12h, 7d or 2w, a day such as 2026-03-01, or a time such as 2026-03-01T12:00:00Z',
  });
}

export function isAge(text: string): boolean {
  return agePattern.test(text);
}

const agePattern = /^(0|[1-9]\d{0,5})([smhdw])$/;

/**
 * A rate of requests: how many a second or a minute, and how many at once after a pause (default: those of one second, at least one).
 * `50/s:100`, `30/m`.
 */
export function rate(text: string): { readonly perSecond: number; readonly burst: number } {
  const match = /^([1-9]\d{0,5})\/([sm])(?::([1-9]\d{0,5}))?$/.exec(text);
  if (match === null)
    throw new InvalidArgumentError('It must be a rate, such as 50/s, 50/s:100 (100 at once) or 30/m.');
  const perSecond = Number(match[1]) / (match[2] === 's' ? 1 : 60);
  return { perSecond, burst: match[3] === undefined ? Math.max(1, Math.floor(perSecond)) : Number(match[3]) };
}

/** An age, such as 30d, 12h or 5m, as milliseconds. */
export function age(text: string): number {
  const match = agePattern.exec(text);
  if (match === null) throw new InvalidArgumentError('It must be an age, such as 30d, 12h or 5m.');
  return Number(match[1]) * unitMs[match[2] as keyof typeof unitMs];
}
