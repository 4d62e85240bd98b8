import type { Controls } from '../src/platform/controls.ts';

/** Controls that permit everything, with changes. */
export function openControls(change: Partial<Controls> = {}): Controls {
  return {
    isKilled: async () => false,
    isShadow: async () => false,
    admitAutomatic: async () => true,
    ...change,
  };
}
