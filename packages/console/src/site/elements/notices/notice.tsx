import type { ComponentChildren } from 'preact';
import type { Tone } from '../signs/badge.tsx';
import { Icon, type IconName } from '../signs/icon.tsx';

const icons: { readonly [tone in Tone]: IconName } = {
  good: 'check',
  warn: 'alert',
  bad: 'alert',
  quiet: 'bell',
};

/** Something that the reader should know before going on. */
export function Notice({
  tone = 'quiet',
  title,
  children,
}: {
  readonly tone?: Tone;
  readonly title: string;
  readonly children?: ComponentChildren;
}) {
  return (
    <div class={`notice ${tone}`} role={tone === 'bad' ? 'alert' : 'status'}>
      <Icon name={icons[tone]} />
      <div>
        <strong>{title}</strong>
        {children}
      </div>
    </div>
  );
}
