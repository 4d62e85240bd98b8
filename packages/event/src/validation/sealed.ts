import type { Violation } from '../errors.ts';
import { parsePointer } from '../json/pointer.ts';
import { report } from './check.ts';

/** Only members of these objects can be sealed. For identities and indexed fields, use pseudonyms. */
const sealableRoots = ['context', 'decision', 'outcome', 'proof', 'event_data', 'metadata'];
const commitmentPattern = /^[0-9a-f]{64}$/;

/**
 * Checks `event.sealed`. Each name must be a JSON pointer into a sealable object, to a value that the event does not contain.
 * Each value must be a commitment, SHA-256 in hex.
 */
export function checkSealed(event: Record<string, unknown>, found: Violation[]): void {
  const sealed = event.sealed;
  if (typeof sealed !== 'object' || sealed === null || Array.isArray(sealed)) return;
  for (const [pointer, commitment] of Object.entries(sealed)) {
    const trail = ['sealed', pointer];
    const tokens = parsePointer(pointer);
    if (
      tokens === undefined ||
      tokens.length < 2 ||
      !sealableRoots.includes(tokens[0]!) ||
      pointer === '/outcome/outcome_status'
    ) {
      report(
        found,
        trail,
        'SEALED_INVALID',
        `must be a JSON pointer into one of ${sealableRoots.join(', ')}`,
      );
    } else if (resolves(event, tokens)) {
      report(found, trail, 'SEALED_INVALID', 'must not also be present unsealed');
    }
    if (typeof commitment !== 'string' || !commitmentPattern.test(commitment)) {
      report(found, trail, 'SEALED_INVALID', 'must be 64 lower-case hexadecimal digits');
    }
  }
}

function resolves(root: unknown, tokens: readonly string[]): boolean {
  let value = root;
  for (const token of tokens) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, token)) return false;
    value = (value as Record<string, unknown>)[token];
  }
  return value !== undefined;
}
