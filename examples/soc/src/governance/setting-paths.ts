import type { Settings } from '../platform/settings.ts';
import { GovernanceRefused } from './refusal.ts';

type Value = number | boolean | string;

/** A setting that a person changed. */
export interface ChangedSetting {
  readonly path: string;
  readonly value: Value;
}

/**
 * Reads and changes one setting by its path, such as `router.breaker.failures`. Only numbers, texts and booleans that exist can be changed,
 * and only to a value of the same type: a mistyped path must not look like a change.
 */
export function changeSetting(
  settings: Settings,
  path: string,
  value: Value,
): { before: Value; after: Value } {
  const names = path.split('.');
  const last = names.pop()!;
  let holder: unknown = settings;
  for (const name of names) holder = memberOf(holder, name);
  const before = memberOf(holder, last);
  if (typeof before !== 'number' && typeof before !== 'boolean' && typeof before !== 'string') {
    throw new GovernanceRefused(
      'SETTING_UNKNOWN',
      `there is no setting ${JSON.stringify(path)} that can be changed`,
    );
  }
  if (
    typeof value !== typeof before ||
    (typeof value === 'number' && !(Number.isFinite(value) && value >= 0))
  ) {
    throw new GovernanceRefused(
      'SETTING_INVALID',
      `${path} must be a ${typeof before}${typeof before === 'number' ? ', at least 0' : ''}`,
    );
  }
  if (value === before) throw new GovernanceRefused('NO_CHANGE', `${path} is ${String(value)} already`);
  (holder as Record<string, Value>)[last] = value;
  return { before, after: value };
}

function memberOf(holder: unknown, name: string): unknown {
  return typeof holder === 'object' && holder !== null && Object.hasOwn(holder, name)
    ? (holder as Record<string, unknown>)[name]
    : undefined;
}
