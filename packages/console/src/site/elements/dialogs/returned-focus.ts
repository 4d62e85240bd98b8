import type { RefObject } from 'preact';
import { useEffect } from 'preact/hooks';

/**
 * Moves the focus to an element when it appears, and gives it back when it goes: to where it was, or to the page's content if that place is
 * gone, as with the row of an item that was erased.
 *
 * @param show how the element takes the focus
 */
export function useReturnedFocus<T extends HTMLElement>(
  element: RefObject<T | null>,
  show: (element: T) => void = (shown) => shown.focus({ preventScroll: true }),
): void {
  useEffect(() => {
    const before = document.activeElement;
    if (element.current !== null) show(element.current);
    return () => {
      const back = before instanceof HTMLElement && before.isConnected && before !== document.body;
      (back ? before : document.querySelector<HTMLElement>('#content'))?.focus({ preventScroll: true });
    };
  }, []);
}
