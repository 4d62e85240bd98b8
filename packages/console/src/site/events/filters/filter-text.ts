import { maxSearchLength } from '@tallystick/event/search';
import { type Condition, isFilterField } from '../../trail/event-query.ts';

/** A term: `field:value`, `-field:value`, and a value in quotes where it has spaces. An address such as `https://…` is no term. */
const termPattern = /^(-?)([a-z_]+(?:\.[^\s:]+)?):(?!\/\/)(?:"([^"]*)"|(\S+))?(?:\s+|$)/;
/** A part of a search: a word or a phrase in quotes, with `-` before it where its events are left out. */
const partPattern = /^-?(?:"(?:[^"\\]|\\.)*"\S*|\S+)/;

/** `OR`, or a parenthesis that opens a group. */
const groupPattern = /^(?:OR$|-?\()/;

/** What a reader typed: conditions on fields, and a search of the texts. */
export interface FilterText {
  readonly conditions: readonly Condition[];
  /** The parts that name no field, as the API's parameter `q` takes them; all of the text if it has `OR` or parentheses. */
  readonly q?: string | undefined;
}

/**
 * Reads what a reader typed into the search field.
 *
 * @returns what the text means, or what is wrong with it, in words
 */
export function readFilterText(text: string): FilterText | { readonly complaint: string } {
  const conditions: Condition[] = [];
  const parts: string[] = [];
  for (let rest = text.trim(); rest !== ''; ) {
    const term = termPattern.exec(rest);
    if (term === null) {
      const [part] = partPattern.exec(rest)!;
      // Conditions must all hold, so a part of an alternative can't be one.
      if (groupPattern.test(part)) return searchFor([], text.trim());
      parts.push(part);
      rest = rest.slice(part.length).trimStart();
      continue;
    }
    const [whole, minus, field = '', quoted, bare = ''] = term;
    if (!isFilterField(field)) {
      return {
        complaint: `There is no field “${field}” to filter by. To search for the text, put it in quotes: "${field}:…"`,
      };
    }
    const value = quoted ?? bare;
    if (value === '') return { complaint: `The filter ${field} needs a value: ${field}:value` };
    conditions.push({ field, negated: minus === '-', values: [value] });
    rest = rest.slice(whole.length);
  }
  return parts.length === 0 ? { conditions } : searchFor(conditions, parts.join(' '));
}

function searchFor(conditions: readonly Condition[], q: string): FilterText | { readonly complaint: string } {
  if (q.length > maxSearchLength) return { complaint: `A search has ${maxSearchLength} characters at most.` };
  return { conditions, q };
}

/** A search for what both searches demand. `OR` binds less than two parts beside each other. */
export function searchForBoth(one: string | undefined, other: string | undefined): string {
  const parts = [one, other].filter((part) => part !== undefined);
  if (parts.length < 2) return parts.join();
  return parts.map((part) => (/\sOR\s/.test(part) ? `(${part})` : part)).join(' ');
}
