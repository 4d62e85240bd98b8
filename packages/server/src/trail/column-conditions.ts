import {
  type FilterCondition,
  type IndexedField,
  indexedFields,
  parseActorReference,
  termsOfCondition,
} from '@tallystick/event';

/** Columns that a condition of a filter can be compared with, in the order of the table of fields. */
const columns: readonly IndexedField[] = indexedFields.filter(
  (field: IndexedField) =>
    field.column !== undefined && field.filter !== undefined && field.filter.kind !== 'range',
);

/** How many conditions on members that no column holds are compared with the text of the record. */
const textConditions = 2;

/**
 * Longest record that is searched for a text, in bytes. A step compares up to 4,000 records, and a longer one is not stored beside its
 * columns. It is listed, and the caller compares it.
 */
const searchedBytes = 4_096;

/**
 * The conditions on `audit_records` as `d`, for the values of {@link columnConditions}: one text for all requests, so the server keeps its plan. A
 * condition whose values are null is not compared.
 *
 * @param first number of the first parameter
 */
export function columnConditionsSql(first: number): string {
  let next = first;
  const parameter = () => `$${next++}::text[]`;
  const ofColumns = columns.flatMap((field) => {
    const text = columnText(field);
    const [values, others] = [parameter(), parameter()];
    const equal = (wanted: string) => {
      const prefixes = hasPrefixes(field) ? ` or ${text} ^@ any (${parameter()})` : '';
      return `${text} = any (${wanted})${prefixes}`;
    };
    return [
      `(${values} is null or ${equal(values)})`,
      `(${others} is null or (${equal(others)}) is not true)`,
    ];
  });
  const ofTexts = Array.from({ length: textConditions }, parameter).map(
    (patterns) =>
      `(${patterns} is null or octet_length(d.record) > ${searchedBytes} or d.record like any (${patterns}))`,
  );
  return [...ofColumns, ...ofTexts].join('\n              and ');
}

/** How many parameters a column has: values, values that it must not have, and the same for prefixes where there are any. */
const countSlots = (field: IndexedField) => (hasPrefixes(field) ? 4 : 2);

function hasPrefixes({ filter }: IndexedField): boolean {
  return filter?.kind === 'prefix';
}

function columnText({ name, type, filter }: IndexedField): string {
  if (type === 'boolean') return `d."${name}"::text`;
  const absent = filter?.kind === 'enum' ? filter.absent : undefined;
  return absent === undefined ? `d."${name}"` : `coalesce(d."${name}", '${absent}')`;
}

/** Conditions as parameters of a statement. */
export interface ColumnConditions {
  readonly values: readonly (readonly string[] | null)[];
  /**
   * Whether each condition that the field index could answer is among them. If so, few rows pass that do not match: the caller compares all of them.
   */
  readonly answersTerms: boolean;
}

/** What the rows of a page must meet by their columns and the texts of their records. A row that does not, matches no filter. */
export function columnConditions(conditions: readonly FilterCondition[]): ColumnConditions {
  const ofColumns = columns.map((field) =>
    Array.from<readonly string[] | null>({ length: countSlots(field) }).fill(null),
  );
  const ofTexts: (readonly string[])[] = [];
  let answersTerms = true;
  for (const condition of conditions) {
    const isAnswered = addToColumn(ofColumns, condition) || addText(ofTexts, condition);
    if (!isAnswered && termsOfCondition(condition) !== undefined) answersTerms = false;
  }
  const texts = Array.from({ length: textConditions }, (_, nth) => ofTexts[nth] ?? null);
  return { values: [...ofColumns.flat(), ...texts], answersTerms };
}

/** @returns whether the condition is compared with a column now */
function addToColumn(
  slots: (readonly string[] | null)[][],
  { parameter: { field, compare }, negated, values }: FilterCondition,
): boolean {
  const texts = values.map(String);
  const isActor = compare === 'actor' && field.name === 'actor';
  // An actor of another type may have the same id.
  if (isActor && negated) return false;
  const slot = slots[columns.findIndex(({ name }) => name === (isActor ? 'actor_id' : field.name))];
  const at = negated ? 1 : 0;
  // A second condition on the same column.
  if (slot === undefined || slot[at] !== null) return false;
  const isPrefix = (text: string) => compare === 'prefix' && text.endsWith('.*');
  slot[at] = isActor
    ? texts.map((text) => parseActorReference(text).id)
    : texts.filter((text) => !isPrefix(text));
  if (compare === 'prefix') slot[at + 2] = texts.filter(isPrefix).map((text) => text.slice(0, -1));
  return true;
}

/** Patterns of which a record that meets the condition has one: its canonical JSON holds the value as JSON writes it. */
function addText(texts: (readonly string[])[], { parameter, negated, values }: FilterCondition): boolean {
  const { field, compare } = parameter;
  if (negated || field.derived !== true || compare === 'address' || texts.length >= textConditions)
    return false;
  texts.push(
    values.map((value) => {
      const text = compare === 'actor' ? parseActorReference(String(value)).id : String(value);
      return `%${JSON.stringify(text)
        .slice(1, -1)
        .replace(/[\\%_]/g, '\\$&')}%`;
    }),
  );
  return true;
}
