import { setImmediate as nextTurn } from 'node:timers/promises';

/**
 * Keeps a long loop from blocking the event loop: call and await the returned function once per item. Every `items`th
 * call lets the event loop do other work; the other calls continue at once.
 */
export function yieldEvery(items: number): () => Promise<void> | undefined {
  let count = 0;
  return () => (++count % items === 0 ? nextTurn() : undefined);
}
