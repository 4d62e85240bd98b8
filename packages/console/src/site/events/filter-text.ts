import { type Condition, isFilterField } from '../trail/event-query.ts';

/** A term: `field:value`, `-field:value`, and a value in quotes where it has spaces. */
const termPattern = /^(-?)([a-z_]+(?:\.[^\s:]+)?):(?:"([^"]*)"|(\S+))(?:\s+|$)/;

/**
 * Reads what a reader typed into the field for filters.
 *
 * @returns the conditions, or what is wrong with the text, in words
 */
export function readFilterText(
  text: string,
): { readonly conditions: readonly Condition[] } | { readonly complaint: string } {
  const conditions: Condition[] = [];
  for (let rest = text.trim(); rest !== ''; ) {
    const term = termPattern.exec(rest);
    if (term === null) {
      const word = rest.split(/\s/, 1)[0]!;
      return {
        complaint: `“${word}” is no filter. Write field:value, such as actor_id:jane or event_type:auth.*`,
      };
    }
    const [whole, minus, field = '', quoted, bare = ''] = term;
    if (!isFilterField(field)) return { complaint: `There is no field “${field}” to filter by.` };
    const value = quoted ?? bare;
    if (value === '') return { complaint: `The filter ${field} needs a value.` };
    conditions.push({ field, negated: minus === '-', values: [value] });
    rest = rest.slice(whole.length);
  }
  return { conditions };
}
