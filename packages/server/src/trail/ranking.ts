import { type AnyEvent, parseTimestamp } from '@tallystick/event';

/** What events are ranked by: the time at which they happened, or the numbers at a path. */
export interface Ranking {
  /** As a request names it. */
  readonly name: string;
  /** The value of an event, and the number that is compared; undefined if the event has none. The event may be forged. */
  valueOf(event: AnyEvent): { readonly value: number | string; readonly rank: number } | undefined;
}

/** Members of an event that hold numbers at paths of the application's choice. */
export const rankedMembers = ['context', 'metadata', 'outcome', 'decision'] as const;

/** Characters of a path. */
const maxPath = 256;

/** Characters of what a request ranks by: the longest member, a dot and a path. */
export const maxRankingName = Math.max(...rankedMembers.map(({ length }) => length)) + 1 + maxPath;

/**
 * Reads what to rank by: `timestamp`, or a path below one of {@link rankedMembers}, such as `context.llm_cost_usd`.
 *
 * @returns undefined if the text names neither
 */
export function readRanking(name: string): Ranking | undefined {
  if (name === 'timestamp') return { name, valueOf: timeOf };
  const at = name.indexOf('.');
  const member = rankedMembers.find((each) => each === name.slice(0, at));
  const path = name.slice(at + 1);
  if (member === undefined || path === '' || path.length > maxPath) return undefined;
  return {
    name,
    valueOf: (event) => {
      const numbers = numbersAt(event[member], path);
      if (numbers.length === 0) return undefined;
      const value = numbers.reduce((most, number) => Math.max(most, number));
      return { value, rank: value };
    },
  };
}

function timeOf({ timestamp }: AnyEvent) {
  const rank = parseTimestamp(String(timestamp));
  return Number.isNaN(rank) ? undefined : { value: String(timestamp), rank };
}

/** The numbers at a path. As for filters, a list has those of its elements, and a name that contains a dot reads like two names. */
function numbersAt(value: unknown, path: string): number[] {
  if (Array.isArray(value)) return value.flatMap((element) => numbersAt(element, path));
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([name, member]) => {
    if (name === path) return numbersIn(member);
    return path.startsWith(`${name}.`) ? numbersAt(member, path.slice(name.length + 1)) : [];
  });
}

function numbersIn(value: unknown): number[] {
  if (Array.isArray(value)) return value.flatMap(numbersIn);
  // A forged record may hold 1e999, which JSON can't write again.
  return typeof value === 'number' && Number.isFinite(value) ? [value] : [];
}
