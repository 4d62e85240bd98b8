import type { ComponentChildren } from 'preact';
import { useMemo, useRef } from 'preact/hooks';
import { usePlace } from '../../address/place.ts';
import { useShortcuts } from '../browser/keyboard.ts';
import { Icon } from '../signs/icon.tsx';
import { useReturnedFocus } from './returned-focus.ts';

/** One item beside its list. Esc closes it, and the focus goes back to where the reader was. */
export function Drawer({
  name,
  close,
  children,
}: {
  /** What the item is: `Approval`. */
  readonly name: string;
  /** The address without the item. */
  readonly close: string;
  readonly children: ComponentChildren;
}) {
  const place = usePlace();
  const drawer = useRef<HTMLElement>(null);
  useShortcuts(useMemo(() => ({ Escape: () => place.go(close) }), [close]));
  useReturnedFocus(drawer);
  return (
    <aside class="drawer" aria-label={name} ref={drawer} tabIndex={-1}>
      <div class="drawer-bar">
        <span class="faint">{name}</span>
        <a class="button square plain" href={close} aria-label={`Close the ${name.toLowerCase()}`}>
          <Icon name="close" />
        </a>
      </div>
      {children}
    </aside>
  );
}

/** A name and a value in a drawer. */
export function Fact({ title, children }: { readonly title: string; readonly children: ComponentChildren }) {
  return (
    <div class="fact">
      <dt>{title}</dt>
      <dd>{children}</dd>
    </div>
  );
}
