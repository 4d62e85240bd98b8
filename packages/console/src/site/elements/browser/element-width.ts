import type { RefObject } from 'preact';
import { useLayoutEffect, useState } from 'preact/hooks';

/**
 * The width of an element, px, also after it changes; measured before the element is painted. Infinite while there is no element.
 *
 * @param isThere whether the element is on the page now
 */
export function useElementWidth(element: RefObject<HTMLElement | null>, isThere: boolean): number {
  const [width, setWidth] = useState(Number.POSITIVE_INFINITY);
  useLayoutEffect(() => {
    const measured = element.current;
    if (measured === null) return undefined;
    const update = () => setWidth(measured.clientWidth);
    update();
    const observer = new ResizeObserver(update);
    observer.observe(measured);
    return () => observer.disconnect();
  }, [element, isThere]);
  return width;
}
