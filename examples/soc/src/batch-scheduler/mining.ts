import { normalised } from '../orchestrator/false-positives.ts';
import type { Investigation } from '../platform/investigation.ts';

/** Closed investigations of one kind. */
export interface Cluster {
  readonly key: string;
  readonly members: readonly Investigation[];
}

/** The kind of an investigation without an attack: its source and its title. `undefined` if it is none. */
export function falsePositiveKey({ verdict, closed_by, source, title }: Investigation): string | undefined {
  const isHarmless = verdict === 'false_positive' || verdict === 'benign';
  // What a pattern has closed says nothing new about the pattern.
  return isHarmless && closed_by !== 'pattern' ? JSON.stringify([source, normalised(title)]) : undefined;
}

/** The kind of a confirmed attack: its techniques. `undefined` if it is none, or has no technique. */
export function attackKey({ verdict, techniques }: Investigation): string | undefined {
  const isAttack = verdict === 'true_positive' && techniques.length > 0;
  return isAttack ? JSON.stringify(techniques.toSorted()) : undefined;
}

/** The cluster with one more member. Of many, the newest `limit` stay. A member that is known takes its place again. */
export function withMember(cluster: Cluster, member: Investigation, limit: number): Cluster {
  const others = cluster.members.filter(
    ({ investigation_id }) => investigation_id !== member.investigation_id,
  );
  return { key: cluster.key, members: [...others, member].slice(-limit) };
}

/** What all members have. */
export function inCommon(members: readonly (readonly string[])[]): string[] {
  const [first = [], ...others] = members;
  return first.filter((element) => others.every((other) => other.includes(element)));
}
