import type { DeadLetterState } from '@tallystick/protocol';

/** What the states of a dead letter say to people. */
export const stateTexts: { readonly [state in DeadLetterState]: string } = {
  open: 'waiting for a decision',
  retried: 'submitted again',
  purged: 'erased',
};
