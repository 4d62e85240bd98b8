import type { Verdict } from '@tallystick/protocol';
import type { Tone } from '../elements/signs/badge.tsx';

/** What a verdict of the service about a chain says to people. */
export const verdicts: {
  readonly [verdict in Verdict]: { readonly tone: Tone; readonly title: string; readonly word: string };
} = {
  verified: { tone: 'good', title: 'The chain is intact', word: 'intact' },
  recovered: {
    tone: 'good',
    title: 'The chain is intact since it was recovered',
    word: 'intact since its recovery',
  },
  broken: { tone: 'bad', title: 'The chain is not intact', word: 'not intact' },
  not_verifiable: { tone: 'warn', title: 'The chain can’t be verified', word: 'not verifiable' },
};

/** From the best to the worst. */
const order: readonly Verdict[] = ['verified', 'recovered', 'not_verifiable', 'broken'];

/** The worst of several verdicts; `undefined` of none. */
export function worstOf(all: readonly Verdict[]): Verdict | undefined {
  return order.findLast((verdict) => all.includes(verdict));
}
