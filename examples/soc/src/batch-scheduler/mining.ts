import { normalised } from '../orchestrator/false-positives.ts';
import type { Investigation } from '../platform/investigation.ts';

/** Closed investigations of one kind. */
export interface Cluster {
  readonly key: string;
  readonly members: readonly Investigation[];
}

/** False positives with the same source and title. */
export function falsePositiveClusters(closed: readonly Investigation[]): Cluster[] {
  const harmless = closed.filter(
    // What a pattern has closed says nothing new about the pattern.
    ({ verdict, closed_by }) =>
      (verdict === 'false_positive' || verdict === 'benign') && closed_by !== 'pattern',
  );
  return clusters(harmless, ({ source, title }) => JSON.stringify([source, normalised(title)]));
}

/** Confirmed attacks with the same techniques. */
export function attackClusters(closed: readonly Investigation[]): Cluster[] {
  const attacks = closed.filter(
    ({ verdict, techniques }) => verdict === 'true_positive' && techniques.length > 0,
  );
  return clusters(attacks, ({ techniques }) => JSON.stringify(techniques.toSorted()));
}

/** What all members have. */
export function inCommon(members: readonly (readonly string[])[]): string[] {
  const [first = [], ...others] = members;
  return first.filter((element) => others.every((other) => other.includes(element)));
}

function clusters(all: readonly Investigation[], keyOf: (investigation: Investigation) => string): Cluster[] {
  const byKey = Map.groupBy(all, keyOf);
  return [...byKey].map(([key, members]) => ({ key, members }));
}
