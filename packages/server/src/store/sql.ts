import { readFileSync } from 'node:fs';

/** Reads a statement of sql/queries; once, where its module is loaded. Its header comment stays in the file. */
export function readSql(name: string): string {
  const text = readFileSync(new URL(`../../sql/queries/${name}.sql`, import.meta.url), 'utf8');
  return text.replaceAll(/^\s*--.*\n/gm, '').trim();
}
