import { tenantIdPattern, uuidPattern } from '@tallystick/event';

const hex = /^[0-9a-f]{64}$/;
const time = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;

/**
 * What is shown of a record whose bytes are withheld: where it is, and that it is withheld. Only its hash is proven, so no other member is
 * allowed, and no member has room for words: a forger could put them beside the hash of a genuine record.
 */
const members: { readonly [name: string]: (value: unknown) => boolean } = {
  tenant_id: (value) => isText(value, tenantIdPattern),
  audit_id: (value) => isText(value, uuidPattern),
  epoch: (value) => Number.isSafeInteger(value) && (value as number) >= 1,
  sequence_number: (value) => Number.isSafeInteger(value) && (value as number) >= 0,
  previous_hash: (value) => isText(value, hex),
  record_hash: (value) => isText(value, hex),
  ingested_at: (value) => isText(value, time),
};
const marks: ReadonlySet<string> = new Set(['is_sensitive', 'redacted', 'damaged']);

/** The members that say where the record is. */
export const withheldMembers: readonly string[] = Object.keys(members);

/** Whether each member is one that is shown of a withheld record, in its form. */
export function showsPlaceOnly(shown: { readonly [member: string]: unknown }): boolean {
  return Object.entries(shown).every(([name, value]) =>
    Object.hasOwn(members, name) ? members[name]!(value) : marks.has(name) && value === true,
  );
}

function isText(value: unknown, pattern: RegExp): boolean {
  return typeof value === 'string' && pattern.test(value);
}
