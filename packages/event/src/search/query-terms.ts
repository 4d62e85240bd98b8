import { addressTerm } from '../terms/address-terms.ts';
import { termsOfCondition } from '../terms/field-terms.ts';
import type { SearchClause, SearchQuery } from './query.ts';
import { prefixLengths, prefixTerm, wordTerm } from './search-terms.ts';

/** For each list, every event that matches has one of its terms at least, unless it has the term for too many. */
export interface QueryTerms {
  /** Terms of the search index. */
  readonly texts: readonly (readonly string[])[];
  /** Terms of the field index. */
  readonly fields: readonly (readonly string[])[];
}

/** Most alternatives that the indexes are asked for. */
export const maxQueryAlternatives = 8;

const none: QueryTerms = { texts: [], fields: [] };

/**
 * The terms by which the records that match a query are found: every event that matches has the terms of one alternative at least. There is one
 * alternative at least. If one has no lists, terms say nothing about the query.
 *
 * The alternatives may also find events that do not match: only the first eight ways to choose between the parts of an `OR` are kept apart.
 */
export function termsOfQuery({ clauses }: SearchQuery): QueryTerms[] {
  let found: QueryTerms[] = [none];
  for (const clause of clauses) {
    const own = termsOfClause(clause);
    const both = [own, coarse(own)].find((each) => found.length * each.length <= maxQueryAlternatives);
    if (both !== undefined) found = found.flatMap((left) => both.map((right) => joined(left, right)));
  }
  return found;
}

function termsOfClause(clause: SearchClause): QueryTerms[] {
  if (clause.negated) return [none];
  if (clause.kind === 'field') {
    const terms = termsOfCondition(clause.condition);
    return [terms === undefined ? none : { texts: [], fields: [terms] }];
  }
  if (clause.kind === 'address') return [{ texts: [[addressTerm('ip', clause.range)]], fields: [] }];
  if (clause.kind === 'any') {
    const alternatives = sharing(clause.alternatives.flatMap(termsOfQuery));
    return alternatives.length > maxQueryAlternatives ? coarse(alternatives) : alternatives;
  }
  const whole = clause.isPrefix ? clause.words.slice(0, -1) : clause.words;
  const texts = [...new Set(whole)].map((word) => [wordTerm(word)]);
  if (clause.isPrefix) texts.push(termsOfPrefix(clause.words.at(-1)!));
  return [{ texts, fields: [] }];
}

function joined(left: QueryTerms, right: QueryTerms): QueryTerms {
  return { texts: [...left.texts, ...right.texts], fields: [...left.fields, ...right.fields] };
}

/** As few alternatives: those with one list in the same index become one list. */
function sharing(alternatives: readonly QueryTerms[]): QueryTerms[] {
  if (alternatives.some(({ texts, fields }) => texts.length + fields.length === 0)) return [none];
  const texts = alternatives.filter((each) => each.texts.length === 1 && each.fields.length === 0);
  const fields = alternatives.filter((each) => each.fields.length === 1 && each.texts.length === 0);
  const others = alternatives.filter((each) => !texts.includes(each) && !fields.includes(each));
  return [
    ...(texts.length === 0 ? [] : [{ texts: [unionOf(texts.flatMap((each) => each.texts))], fields: [] }]),
    ...(fields.length === 0 ? [] : [{ texts: [], fields: [unionOf(fields.flatMap((each) => each.fields))] }]),
    ...others,
  ];
}

/** Two alternatives at most, which find more: one list is kept of each. */
function coarse(alternatives: readonly QueryTerms[]): QueryTerms[] {
  return sharing(
    alternatives.map(({ texts, fields }) =>
      texts.length > 0
        ? { texts: [mostSpecific(texts)], fields: [] }
        : { texts: [], fields: fields.slice(0, 1) },
    ),
  );
}

/** The list with the longest terms: a long word is in fewer events than a short one. */
function mostSpecific(lists: QueryTerms['texts']): readonly string[] {
  const length = (list: readonly string[]) => Math.min(...list.map((term) => term.length));
  return lists.reduce((best, list) => (length(list) > length(best) ? list : best));
}

function unionOf(lists: readonly (readonly string[])[]): string[] {
  return [...new Set(lists.flat())];
}

/** The word itself, and longer words that begin so. */
function termsOfPrefix(prefix: string): string[] {
  const own = [...prefix].length;
  const length = prefixLengths.findLast((each) => each <= own)!;
  return [wordTerm(prefix), prefixTerm(prefix, length)];
}
