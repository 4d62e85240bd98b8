/**
 * The partition of a topic that takes the messages of a tenant, as Kafka's own clients choose it: murmur2 of the key, without the sign
 * bit, modulo the number of partitions (spec/delivery.md). `@platformatic/kafka` has this function, but a service without Kafka does not
 * have that library.
 */
export function partitionOfTenant(tenantId: string, partitions: number): number {
  return (murmur2(Buffer.from(tenantId)) & 0x7fffffff) % partitions;
}

/** Kafka's `Utils.murmur2`: MurmurHash2 by Austin Appleby, with the seed 0x9747b28c. */
function murmur2(key: Buffer): number {
  const m = 0x5bd1e995;
  const { length } = key;
  let hash = 0x9747b28c ^ length;
  const whole = length - (length % 4);
  for (let at = 0; at < whole; at += 4) {
    let word = Math.imul(key.readInt32LE(at), m);
    word = Math.imul(word ^ (word >>> 24), m);
    hash = Math.imul(hash, m) ^ word;
  }
  let rest = 0;
  for (let at = length - 1; at >= whole; at--) rest = (rest << 8) | key[at]!;
  if (length > whole) hash = Math.imul(hash ^ rest, m);
  hash = Math.imul(hash ^ (hash >>> 13), m);
  return hash ^ (hash >>> 15);
}
