import { expect, test, vi } from 'vitest';
import { combineObservers, type ServiceObserver } from '../src/observer.ts';

test('every call reaches every observer that has the method', () => {
  const names = [
    'onCommit',
    'onOutcome',
    'onDeadLetter',
    'onRetry',
    'onEviction',
    'onBackgroundError',
  ] as const satisfies readonly (keyof ServiceObserver)[];
  const first = Object.fromEntries(names.map((name) => [name, vi.fn()]));
  const second = { onBackgroundError: vi.fn() };
  const both = combineObservers(first, {}, second) as Record<string, (...args: unknown[]) => void>;
  for (const name of names) both[name]!(name, 1);
  for (const name of names) expect(first[name]!.mock.calls[0]![0]).toBe(name);
  expect(second.onBackgroundError).toHaveBeenCalledWith('onBackgroundError', 1);
});
