import type { RefObject } from 'preact';
import { useShortcuts } from '../browser/keyboard.ts';

/**
 * `j`, `k` and the arrows move the focus from row to row of a table or a list: to the first link or button of each row that has one.
 *
 * @param row selector of the rows
 */
export function useRowKeys(body: RefObject<HTMLElement | null>, row = 'tr'): void {
  const move = (step: 1 | -1) => () => {
    const stops = [...(body.current?.querySelectorAll(row) ?? [])].flatMap(
      (each) => each.querySelector<HTMLElement>('a, button') ?? [],
    );
    const now = stops.findIndex((stop) => stop.closest(row)?.contains(document.activeElement) === true);
    const next = stops[now < 0 ? (step > 0 ? 0 : stops.length - 1) : now + step];
    next?.focus();
    // Without a row to go to, the arrows scroll the page, as everywhere.
    return next !== undefined;
  };
  useShortcuts({ j: move(1), ArrowDown: move(1), k: move(-1), ArrowUp: move(-1) });
}
