import type { ComponentChildren } from 'preact';

/** What a colour says: it is proven or went well; it needs attention; it is wrong; nothing of these. */
export type Tone = 'good' | 'warn' | 'bad' | 'quiet';

/** A short state. The words say it too: a colour alone says nothing to many readers. */
export function Badge({
  tone = 'quiet',
  children,
}: {
  readonly tone?: Tone;
  readonly children: ComponentChildren;
}) {
  return <span class={`badge ${tone}`}>{children}</span>;
}

/** The tone of `outcome.outcome_status`. A trail can hold other words: they are quiet. */
export function toneOfOutcome(status: string): Tone {
  if (status === 'success') return 'good';
  if (status === 'failure' || status === 'denied' || status === 'blocked') return 'bad';
  return status === 'partial' || status === 'timed_out' || status === 'rolled_back' ? 'warn' : 'quiet';
}

/** The tone of `severity`. */
export function toneOfSeverity(severity: string): Tone {
  if (severity === 'critical') return 'bad';
  return severity === 'warning' ? 'warn' : 'quiet';
}
