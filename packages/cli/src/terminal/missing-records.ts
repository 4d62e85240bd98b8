import type { Finding } from '@tallystick/verify';

/**
 * What a gap in the sequence means, in words. Only where records are missing: a record in another one's place is told
 * with the same code.
 */
export function missingRecords({
  code,
  sequence_number,
  expected,
  found,
}: Pick<Finding, 'code' | 'sequence_number' | 'expected' | 'found'>): string | undefined {
  const [first, next] = [Number(expected), Number(found)];
  if (code !== 'SEQUENCE_GAP' || next !== sequence_number || !(first < next)) return undefined;
  return next - first === 1 ? `record ${first} is missing` : `records ${first}–${next - 1} are missing`;
}
