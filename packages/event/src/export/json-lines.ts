import { asPosition, type ExportFormat } from './export-format.ts';

/**
 * Characters that JSON may hold as they are, and that deceive a reader: controls that a terminal obeys, and everything that reorders text or
 * is invisible. Their escapes mean the same.
 */
const unsafe = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}\u2800]/gu;

/** JSON lines: each record as one JSON object with all its fields. Nothing is lost. */
export const jsonLines: ExportFormat = {
  name: 'jsonl',
  mediaType: 'application/x-ndjson',
  header: '',
  line: (record) => `${JSON.stringify(record).replace(unsafe, escaped)}\n`,
  positionOf: (line) => {
    try {
      const value = JSON.parse(line) as { epoch?: unknown; sequence_number?: unknown } | null;
      return asPosition(value?.epoch, value?.sequence_number);
    } catch {
      return undefined;
    }
  },
};

/** One escape for each of its UTF-16 units. */
function escaped(character: string): string {
  return character
    .split('')
    .map((unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)
    .join('');
}
