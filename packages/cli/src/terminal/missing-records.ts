import type { Finding } from '@tallystick/verify';

/**
 * Describes a gap in the sequence in words. Undefined where no records are missing: `SEQUENCE_GAP` is also the code for a
 * record at the position of another.
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
