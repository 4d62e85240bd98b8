import { expect, test } from 'vitest';
import { partitionOfTenant } from '../../src/followers/open-intents/tenant-partition.ts';

// The hashes of Kafka's own test (UtilsTest.testMurmur2).
test.each([
  ['21', -973932308],
  ['foobar', -790332482],
  ['a-little-bit-long-string', -985981536],
  ['a-little-bit-longer-string', -1486304829],
  ['lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8', -58897971],
  ['abc', 479470107],
])('chooses the partition of %s as Kafka does', (key, hash) => {
  for (const partitions of [1, 3, 12, 100]) {
    expect(partitionOfTenant(key, partitions)).toBe((hash & 0x7fffffff) % partitions);
  }
});
