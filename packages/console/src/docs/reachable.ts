/** Areas that scroll. A keyboard reaches one only if it can have the focus. */
const scrolling = 'pre, .microlight, .body-param__example, .docs-code';
const fields = 'input, select, textarea';

/**
 * Gives names to the fields of the viewer and lets the keyboard reach its areas that scroll (WCAG 2.2: 4.1.2 and 2.1.1). The viewer draws
 * them again and again, and leaves these attributes alone.
 *
 * @returns ends the watch
 */
export function keepReachable(viewer: HTMLElement): () => void {
  const observer = new MutationObserver(() => complete(viewer));
  observer.observe(viewer, { childList: true, subtree: true });
  complete(viewer);
  return () => observer.disconnect();
}

function complete(viewer: HTMLElement): void {
  for (const area of viewer.querySelectorAll<HTMLElement>(scrolling)) area.tabIndex = 0;
  for (const field of viewer.querySelectorAll<HTMLInputElement>(fields)) {
    if (field.hasAttribute('aria-label') || (field.labels?.length ?? 0) > 0) continue;
    field.setAttribute('aria-label', nameOf(field));
  }
}

function nameOf(field: HTMLElement): string {
  const parameter = field.closest<HTMLElement>('[data-param-name]')?.dataset.paramName;
  if (parameter !== undefined) return parameter;
  return field.matches('textarea') ? 'Body of the request' : 'Media type';
}
