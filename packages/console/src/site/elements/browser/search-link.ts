/**
 * The key `/` leads to a search that may not be on the page yet. What the reader types until then belongs to the search: it is kept here and
 * written into the field when the field appears.
 */

/** What an address has at its end that opens a page with the focus in its search. */
export const searchHash = '#search';

/** What the reader typed before the search was there. */
export interface EarlyTyping {
  readonly text: string;
  /** Whether the reader ended it with Enter. */
  readonly isEntered: boolean;
}

/** Longest text that is kept. The field itself takes no more. */
const longest = 1_000;
/** A page without a search, as where there is no tenant, must not swallow keys: after this time they are the page's again. */
const patienceMs = 10_000;

/** The typing that is kept now. The shell sets it at `/`, the search takes it. */
let kept: { typing: EarlyTyping; readonly end: () => void } | undefined;

/** Keeps what is typed from now on. A click, Escape, Tab, or the focus in another field ends it. */
export function keepTyping(): void {
  kept?.end();
  const listening = new AbortController();
  const end = () => {
    kept = undefined;
    clearTimeout(timer);
    listening.abort();
  };
  const timer = setTimeout(end, patienceMs);
  kept = { typing: { text: '', isEntered: false }, end };
  const options = { capture: true, signal: listening.signal };
  document.addEventListener('pointerdown', end, options);
  document.addEventListener('focusin', ({ target }) => isField(target) && end(), options);
  document.addEventListener(
    'keydown',
    (event) => {
      if (event.key === 'Escape' || event.key === 'Tab') end();
      if (kept === undefined || event.ctrlKey || event.altKey || event.metaKey) return;
      const next = typed(kept.typing, event.key);
      if (next === undefined) return;
      kept.typing = next;
      event.preventDefault();
      event.stopPropagation();
    },
    options,
  );
}

/** What a key makes of the text; `undefined` if the key is not for it. */
export function typed({ text, isEntered }: EarlyTyping, key: string): EarlyTyping | undefined {
  if (key === 'Enter') return { text, isEntered: true };
  if (key === 'Backspace') return isEntered ? { text, isEntered } : { text: text.slice(0, -1), isEntered };
  if ([...key].length > 1) return undefined;
  return { text: isEntered ? text : (text + key).slice(0, longest), isEntered };
}

/** Gives the kept typing to the search that is on the page now. The hash leaves the address bar and the history at once. */
export function takeSearchFocus(): EarlyTyping | undefined {
  const typing = kept?.typing ?? { text: '', isEntered: false };
  kept?.end();
  if (location.hash !== searchHash) return undefined;
  history.replaceState(history.state, '', location.pathname + location.search);
  return typing;
}

function isField(target: EventTarget | null): boolean {
  return target instanceof HTMLElement && target.matches('input, textarea, select, [contenteditable]');
}
