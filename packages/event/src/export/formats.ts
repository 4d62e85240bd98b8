import { csv } from './csv.ts';
import type { ExportFormat } from './export-format.ts';
import { jsonLines } from './json-lines.ts';

/** The formats of an export. A further format is one file and one entry here. */
const formats = { csv, jsonl: jsonLines } as const satisfies { readonly [name: string]: ExportFormat };

/** Name of a format of an export. */
export type ExportFormatName = keyof typeof formats;

/** The names of all formats. */
export const exportFormatNames = Object.keys(formats) as readonly ExportFormatName[] as readonly [
  ExportFormatName,
  ...ExportFormatName[],
];

/** The format of this name. */
export function exportFormat(name: ExportFormatName): ExportFormat {
  return formats[name];
}
