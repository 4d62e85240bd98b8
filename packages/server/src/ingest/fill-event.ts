import {
  AuditValidationError,
  decodeUtf8,
  limits,
  parseStrictJson,
  tenantIdPattern,
} from '@tallystick/event';
import { exceededBound } from '../input/json-bounds.ts';

/** Which fields the service may fill in an event that was received. */
export interface MissingFields {
  readonly tenantId: string;
  readonly missing: readonly FilledField[];
}

type FilledField = 'audit_id' | 'timestamp';

const filled: readonly FilledField[] = ['audit_id', 'timestamp'];
const bounds = { maxDepth: limits.maxDepth, maxValues: limits.maxEventBytes };

/**
 * Reads which fields an event lacks. An attacker may have written the bytes.
 *
 * @returns undefined for bytes that admission refuses in any case: they are kept as they were received
 */
export function missingIn(raw: Uint8Array): MissingFields | undefined {
  if (raw.length > limits.maxEventBytes || exceededBound(raw, bounds) !== undefined) return undefined;
  let event: unknown;
  try {
    event = parseStrictJson(decodeUtf8(raw));
  } catch (error) {
    if (error instanceof AuditValidationError) return undefined;
    throw error;
  }
  if (typeof event !== 'object' || event === null || Array.isArray(event)) return undefined;
  const { tenant_id: tenantId } = event as { readonly tenant_id?: unknown };
  if (typeof tenantId !== 'string' || !tenantIdPattern.test(tenantId)) return undefined;
  return { tenantId, missing: filled.filter((name) => !Object.hasOwn(event, name)) };
}

/** The event with the missing fields at its start. All other bytes stay as they were received. */
export function fillEvent(
  raw: Uint8Array,
  { missing }: MissingFields,
  values: { readonly [name in FilledField]: string },
): Buffer {
  const members = missing.map((name) => `"${name}":${JSON.stringify(values[name])},`).join('');
  // An event with a tenant has at least one member, so a comma after the last new one is right.
  const start = raw.indexOf(0x7b) + 1;
  return Buffer.concat([raw.subarray(0, start), Buffer.from(members), raw.subarray(start)]);
}
