import type { ComponentChildren } from 'preact';
import { Icon, type IconName } from '../signs/icon.tsx';

/** What a list shows that has nothing in it: why, and the next step. */
export function Empty({
  icon,
  title,
  children,
}: {
  readonly icon: IconName;
  readonly title: string;
  readonly children?: ComponentChildren;
}) {
  return (
    <div class="empty">
      <Icon name={icon} />
      <h2>{title}</h2>
      {children}
    </div>
  );
}
