import type { Timeline } from '@tallystick/protocol';

/** Shows the things of a timeline by the names that its reader knows. */
export type Naming = (id: string) => string;

/** The investigation itself is "this investigation", and a record of it is its number. Every other name stays as it is. */
export function namingOf({
  subject: { investigation_id },
  records,
}: Pick<Timeline, 'subject' | 'records'>): Naming {
  const numbers = new Map(records.map(({ id, sequence }) => [id, `#${sequence}`]));
  return (id) => {
    const isOwn = id === investigation_id || id === `investigation:${investigation_id}`;
    if (investigation_id !== undefined && isOwn) return 'this investigation';
    return numbers.get(id) ?? id;
  };
}
