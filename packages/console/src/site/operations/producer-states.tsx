import type { ProducerState } from '@tallystick/protocol';
import { Badge, type Tone } from '../elements/signs/badge.tsx';

/** What the states of a producer's account say to people. */
const states: {
  readonly [state in ProducerState]: { readonly tone: Tone; readonly text: string; readonly meaning: string };
} = {
  open: {
    tone: 'bad',
    text: 'has gaps',
    meaning:
      'The producer used these numbers, and their events have not arrived. They may still come, from its memory, its spool or a topic.',
  },
  unclosed: {
    tone: 'warn',
    text: 'fell silent',
    meaning:
      'No number is missing. But the producer has not said which number is its last, so it may have held more events when it ended.',
  },
  running: { tone: 'quiet', text: 'running', meaning: 'Every number until now is accounted for.' },
  closed: {
    tone: 'good',
    text: 'complete',
    meaning:
      'The producer has said its last number, and every number is accounted for: chained, refused or declared lost.',
  },
};

/** The state of an account. A producer whose runtime may end it without notice is no reason for alarm when it falls silent. */
export function ProducerBadge({
  state,
  ephemeral = false,
}: {
  readonly state: ProducerState;
  readonly ephemeral?: boolean;
}) {
  const { tone, text } = states[state];
  return <Badge tone={ephemeral && state === 'unclosed' ? 'quiet' : tone}>{text}</Badge>;
}

/** What each of the states means. */
export function ProducerMeanings() {
  return (
    <details class="panel new-key">
      <summary>What the states mean</summary>
      <dl class="body meanings">
        {(Object.keys(states) as ProducerState[]).map((state) => (
          <>
            <dt>
              <ProducerBadge state={state} />
            </dt>
            <dd>{states[state].meaning}</dd>
          </>
        ))}
      </dl>
    </details>
  );
}
