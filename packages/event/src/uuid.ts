const hex = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'));

/** Random bytes are fetched in blocks: one system call for 400 ids. Owned by this module, one block per thread. */
const pool = new Uint8Array(4_000);
let poolAt = pool.length;
let lastMs = -1;
/** 12 bits, RFC 9562 section 6.2 method 1. In each millisecond it starts at a random value in the lower half. */
let counter = 0;
/** The first characters of all ids of one millisecond. */
let prefix = '';
let prefixMs = -1;

/** A clock that was set back by more than this was wrong before, and the service would refuse ids with its time. */
const maxStepBackMs = 60_000;

/**
 * A new UUIDv7 (RFC 9562 section 5.7), greater than all that this process made before, even when the clock is set back a little.
 * When the clock is set back by more than a minute, the ids continue from the corrected time: the service refuses ids that are
 * far ahead of its clock.
 *
 * @param now milliseconds since the epoch; the clock by default
 */
export function uuidv7(now: number = Date.now()): string {
  if (poolAt + 10 > pool.length) {
    globalThis.crypto.getRandomValues(pool);
    poolAt = 0;
  }
  if (now > lastMs || now < lastMs - maxStepBackMs) {
    lastMs = now;
    counter = ((pool[poolAt]! & 0x07) << 8) | pool[poolAt + 1]!;
  } else if (++counter > 0xfff) {
    // The counter of this millisecond is used up: use the next millisecond (6.2, "counter rollover handling").
    lastMs++;
    counter = 0;
  }
  if (lastMs !== prefixMs) {
    const high = Math.floor(lastMs / 0x10000);
    const low = lastMs % 0x10000;
    prefix = `${hex[(high >>> 24) & 0xff]!}${hex[(high >>> 16) & 0xff]!}${hex[(high >>> 8) & 0xff]!}${hex[high & 0xff]!}-${hex[low >>> 8]!}${hex[low & 0xff]!}-`;
    prefixMs = lastMs;
  }
  const at = poolAt + 2;
  poolAt += 10;
  // V8 makes concatenated text of up to 12 characters as one flat string, and longer text as a tree of its parts. Two groups
  // instead of single digits take half the time, and the id takes 150 bytes of memory instead of 700.
  const middle = `${hex[0x70 | (counter >>> 8)]!}${hex[counter & 0xff]!}-${hex[0x80 | (pool[at]! & 0x3f)]!}${hex[pool[at + 1]!]!}-`;
  const end = `${hex[pool[at + 2]!]!}${hex[pool[at + 3]!]!}${hex[pool[at + 4]!]!}${hex[pool[at + 5]!]!}${hex[pool[at + 6]!]!}${hex[pool[at + 7]!]!}`;
  return prefix + middle + end;
}

/** Milliseconds since the epoch that a UUIDv7 carries, or `undefined` for any other string. */
export function uuidv7Time(uuid: string): number | undefined {
  if (uuid.length !== 36 || uuid[14] !== '7') return undefined;
  const variant = uuid[19];
  if (variant !== '8' && variant !== '9' && variant !== 'a' && variant !== 'b') return undefined;
  const ms = Number.parseInt(uuid.slice(0, 8) + uuid.slice(9, 13), 16);
  return Number.isNaN(ms) ? undefined : ms;
}

/**
 * A UUIDv8 (RFC 9562 section 5.8) from the first 16 bytes of a hash. The same source gives the same id, so a second import of
 * the same data adds nothing.
 *
 * @param digest at least 16 bytes of a cryptographic hash of what identifies the source
 */
export function uuidv8FromDigest(digest: Uint8Array): string {
  if (digest.length < 16) throw new RangeError('uuidv8FromDigest needs at least 16 bytes');
  const text = Array.from(digest.subarray(0, 16), (byte) => hex[byte]!);
  text[6] = hex[0x80 | (digest[6]! & 0x0f)]!;
  text[8] = hex[0x80 | (digest[8]! & 0x3f)]!;
  const joined = text.join('');
  return `${joined.slice(0, 8)}-${joined.slice(8, 12)}-${joined.slice(12, 16)}-${joined.slice(16, 20)}-${joined.slice(20)}`;
}
