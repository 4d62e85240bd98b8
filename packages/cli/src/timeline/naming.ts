import type { Timeline } from './read-timeline.ts';

/** Shows the things of a timeline by the names that its reader knows. */
export type Naming = (id: string) => string;

/** The investigation itself is "this investigation", and a record of it is its number. Every other name stays as it is. */
export function namingOf({
  investigationId,
  records,
}: Pick<Timeline, 'investigationId' | 'records'>): Naming {
  const numbers = new Map(records.map(({ id, sequence }) => [id, `#${sequence}`]));
  return (id) => {
    if (id === investigationId || id === `investigation:${investigationId}`) return 'this investigation';
    return numbers.get(id) ?? id;
  };
}
