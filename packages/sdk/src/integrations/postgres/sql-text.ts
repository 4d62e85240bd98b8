import { invalidConfig } from '../../configuration.ts';
import { quoteName } from './sql-client.ts';

/** A part of a statement that the application writes as SQL, with its values as `$1`, `$2`, … */
export class SqlText {
  readonly text: string;
  readonly values: readonly unknown[];

  constructor(text: string, values: readonly unknown[]) {
    this.text = text;
    this.values = values;
  }
}

/**
 * SQL with parameters, for a condition or the new value of a column: `sqlText('quantity - $1', [3])`. Pass texts as values, and not as
 * literals within the SQL.
 *
 * @throws {AuditError} `CONFIG_INVALID` if the SQL has a placeholder without a value
 */
export function sqlText(text: string, values: readonly unknown[] = []): SqlText {
  if (typeof text !== 'string' || text.trim() === '') throw invalidConfig('SQL must be a text');
  // Placeholders get other numbers in the statement, so `$5` in a literal would become another text.
  for (const [place, number] of text.matchAll(/\$(\d+)/g)) {
    if (Number(number) < 1 || Number(number) > values.length)
      throw invalidConfig(`SQL has ${place}, but ${values.length} values; pass texts as values`);
  }
  return new SqlText(text, values);
}

/** The values of one statement, numbered in the order in which they are added. */
export class Parameters {
  readonly values: unknown[] = [];

  /** The placeholder of a value, or the SQL with its own placeholders renumbered. */
  add(value: unknown): string {
    if (!(value instanceof SqlText)) return `$${this.values.push(value)}`;
    const before = this.values.length;
    this.values.push(...value.values);
    return value.text.replaceAll(/\$(\d+)/g, (_place, number: string) => `$${before + Number(number)}`);
  }
}

/** Which rows: each column equals its value, or one of a list; or any condition as {@link sqlText}. */
export type Condition = SqlText | { readonly [column: string]: unknown };

/** @throws {AuditError} `CONFIG_INVALID` for a condition that chooses all rows, which is most often a mistake */
export function conditionText(where: Condition, parameters: Parameters): string {
  if (where instanceof SqlText) return `(${parameters.add(where)})`;
  const members = Object.entries(where ?? {});
  if (members.length === 0)
    throw invalidConfig("where must not be empty; for all rows, write sqlText('true')");
  return members
    .map(([column, value]) => {
      if (value === undefined) throw invalidConfig(`where has no value for ${column}`);
      if (value === null) return `${quoteName(column)} is null`;
      const place = parameters.add(value);
      return `${quoteName(column)} = ${Array.isArray(value) ? `any (${place})` : place}`;
    })
    .join(' and ');
}
