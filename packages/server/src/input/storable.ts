/** Whether the store can hold a text: it has no lone surrogate, which UTF-8 does not have, and no U+0000, which PostgreSQL refuses. */
export function isStorable(text: string): boolean {
  return text.isWellFormed() && !text.includes('\0');
}
