import { readFileSync } from 'node:fs';

/** Reads a statement of sql/queries without its header comment. Call it once, when the module is loaded. */
export function readSql(name: string): string {
  const text = readFileSync(new URL(`../../sql/queries/${name}.sql`, import.meta.url), 'utf8');
  return text.replaceAll(/^\s*--.*\n/gm, '').trim();
}
