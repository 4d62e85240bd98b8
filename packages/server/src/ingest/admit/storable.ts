import * as z from 'zod';

/** Whether the chain and the store can hold a text: some that is said beside events becomes part of a record. */
export function isStorable(text: string): boolean {
  return text.isWellFormed() && !text.includes('\0');
}

/** @param most UTF-16 code units */
export const storable = (most: number) =>
  z.string().min(1).max(most).refine(isStorable, { message: 'must be text without U+0000' });
