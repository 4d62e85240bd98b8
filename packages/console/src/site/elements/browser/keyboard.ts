import { useEffect, useRef } from 'preact/hooks';

/** What keys do, by `KeyboardEvent.key`. An action that returns false leaves the key to the browser. */
export type Shortcuts = { readonly [key: string]: (() => unknown) | undefined };

/**
 * Calls a function when its key is pressed. A reader who types into a field means the field, so only Escape counts there; with Ctrl, Alt
 * or Meta the key belongs to the browser.
 */
export function useShortcuts(shortcuts: Shortcuts): void {
  // A key means what the page shows, also before the effects of the last rendering have run.
  const latest = useRef(shortcuts);
  latest.current = shortcuts;
  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      if (event.defaultPrevented || event.ctrlKey || event.altKey || event.metaKey) return;
      if (event.key !== 'Escape' && isForTyping(event.target)) return;
      // A dialog or an open menu has the keyboard to itself: Escape closes the menu, and not also what is below it.
      if (document.querySelector('dialog[open]:modal, :popover-open') !== null) return;
      const action = latest.current[event.key];
      if (action === undefined) return;
      // Enter on a link or button is for it alone.
      if (
        event.key === 'Enter' &&
        event.target instanceof HTMLElement &&
        event.target.closest('a, button, summary')
      )
        return;
      if (action() !== false) event.preventDefault();
    };
    document.addEventListener('keydown', onKey);
    return () => document.removeEventListener('keydown', onKey);
  }, []);
}

function isForTyping(target: EventTarget | null): boolean {
  return (
    target instanceof HTMLElement && target.closest('input, textarea, select, [contenteditable]') !== null
  );
}
