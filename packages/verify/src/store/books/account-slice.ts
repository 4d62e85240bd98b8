import { sha256 } from '@tallystick/log';

/**
 * A part of a tenant's accounts: those whose digest begins with these bits. A check of many accounts takes one slice after
 * another, so that its memory is bounded.
 */
export interface AccountSlice {
  readonly bits: number;
  readonly value: number;
}

export const allAccounts: AccountSlice = { bits: 0, value: 0 };

/** A slice of this many bits is not divided. */
export const maxBits = 24;

/** Slices of about the same size, as many as this or up to twice as many. */
export function slicesOf(count: number): AccountSlice[] {
  const bits = Math.min(maxBits, Math.max(0, Math.ceil(Math.log2(count))));
  return Array.from({ length: 2 ** bits }, (_, value) => ({ bits, value }));
}

/** Both halves of a slice. */
export function halvesOf({ bits, value }: AccountSlice): [AccountSlice, AccountSlice] {
  return [
    { bits: bits + 1, value: value * 2 },
    { bits: bits + 1, value: value * 2 + 1 },
  ];
}

/** @param id as `accountId` makes it */
export function isInSlice(id: string, { bits, value }: AccountSlice): boolean {
  if (bits === 0) return true;
  const digest = sha256(id);
  return ((digest[0]! << 16) | (digest[1]! << 8) | digest[2]!) >>> (maxBits - bits) === value;
}

/**
 * The same as {@link isInSlice}, as a condition over rows with a submitter and a producer.
 *
 * @param parameter number of the first of two parameters: the bits and the value
 */
export function sliceCondition(row: string, parameter: number): string {
  const digest = `sha256(convert_to(${row}.submitter || chr(10) || ${row}.producer_id::text, 'UTF8'))`;
  const bits = `('x' || left(encode(${digest}, 'hex'), ${maxBits / 4}))::bit(${maxBits})::integer`;
  return `($${parameter}::integer = 0 or ${bits} >> (${maxBits} - $${parameter}::integer) = $${parameter + 1}::integer)`;
}
