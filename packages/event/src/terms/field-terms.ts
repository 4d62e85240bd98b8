/**
 * The terms of the field index: what a store keeps beside a record, so that filters find it (spec/field-index.md). They are derived from
 * the event alone, so a verifier can derive them again. A term only finds candidates: {@link filterMatcher} decides.
 */

import { parseIpRange } from '../addresses/ip-range.ts';
import { type IndexedField, indexedFields } from '../fields/fields.ts';
import { type AnyEvent, actorsIn, addressIn, textsIn, valueAt } from '../fields/filter-match.ts';
import type { FilterCondition } from '../fields/filters.ts';
import { memberValues } from '../fields/member-values.ts';
import { addressTerm, addressTerms } from './address-terms.ts';

/** Consecutive records whose terms share a scope. A search asks for some blocks at a time, so it never sorts all that a term finds. */
export const termBlockRecords = 4_096;

/** Consecutive blocks whose summaries share a scope. A search of the summaries asks for a group at a time. */
export const termGroupBlocks = 4_096;

/** An event with more terms has the term {@link anyTerm} alone. */
const maxTerms = 1_000;
/** Longest value that has a term: the longest one that a parameter can ask for. */
const maxValueLength = 512;
/** The term of an event with too many terms. Every search asks for it too. */
export const anyTerm = '*';

const searched: readonly IndexedField[] = indexedFields.filter(
  (field: IndexedField) =>
    field.path !== undefined && field.filter !== undefined && field.filter.kind !== 'range',
);

/** The terms of an event, each once. The event may be forged. */
export function fieldTerms(event: AnyEvent): string[] {
  const terms = new Set<string>();
  for (const field of searched) {
    for (const term of termsOfField(field, event)) terms.add(term);
    if (terms.size > maxTerms) return [anyTerm];
  }
  return [...terms];
}

/**
 * Terms of which every event that meets the condition has one at least, unless it has {@link anyTerm}.
 *
 * @returns undefined if terms say nothing about the condition
 */
export function termsOfCondition({
  parameter,
  path,
  negated,
  values,
}: FilterCondition): string[] | undefined {
  const { field, compare } = parameter;
  if (negated || !searched.includes(field)) return undefined;
  if (compare === 'member') return values.map((value) => `${field.name}.${path}=${value}`);
  if (compare !== 'address') return values.map((value) => `${field.name}=${value}`);
  return values.flatMap((value) => {
    const range = parseIpRange(String(value));
    return range === undefined ? [] : [addressTerm(field.name, range)];
  });
}

function termsOfField(field: IndexedField, event: AnyEvent): string[] {
  const { name, filter } = field;
  switch (filter?.kind) {
    case 'actor':
      return actorsIn(field, event).flatMap(({ type, id }) => [
        ...termsOfValues(name, [id]),
        ...(typeof type === 'string' ? termsOfValues(name, [`${type}:${id}`]) : []),
      ]);
    case 'address': {
      const address = addressIn(field, event);
      return address === undefined ? [] : addressTerms(name, address);
    }
    case 'element':
      return termsOfValues(name, textsIn(field, event));
    case 'member':
      return memberValues(valueAt(field, event), 2 * maxTerms).flatMap(([path, text]) =>
        termsOfValues(`${name}.${path}`, [text]),
      );
    case 'prefix': {
      const text = valueAt(field, event);
      return typeof text === 'string' ? termsOfValues(name, [text, ...prefixesOf(text)]) : [];
    }
    default: {
      const absent = filter?.kind === 'enum' ? filter.absent : field.type === 'boolean' ? false : undefined;
      const value = valueAt(field, event) ?? absent;
      return typeof value === 'string' || typeof value === 'boolean'
        ? termsOfValues(name, [String(value)])
        : [];
    }
  }
}

function termsOfValues(name: string, values: readonly string[]): string[] {
  return values.filter((value) => value.length <= maxValueLength).map((value) => `${name}=${value}`);
}

/** `a.*` and `a.b.*` for `a.b.c`. */
function prefixesOf(text: string): string[] {
  const parts = text.split('.');
  return parts.slice(1).map((_, at) => `${parts.slice(0, at + 1).join('.')}.*`);
}

/** Which records share the hashes of their terms. */
export interface TermScope {
  readonly tenantId: string;
  readonly epoch: number;
  /** Sequence number divided by {@link termBlockRecords}, rounded down. */
  readonly block: number;
}

const encoder = new TextEncoder();

/**
 * The hash of a term within a scope: FNV-1a of 32 bits over `<tenant>\n<epoch>\n<block>\n<term>`, as a signed number. Two terms may share
 * a hash; that only makes a search look at more candidates.
 */
export function termHashes({ tenantId, epoch, block }: TermScope, terms: readonly string[]): number[] {
  const scope = fnv1a(0x811c9dc5, `${tenantId}\n${epoch}\n${block}\n`);
  return terms.map((term) => fnv1a(scope, term));
}

/** The scope of the summary of a block. */
export function summaryScope({ tenantId, epoch, block }: TermScope): TermScope {
  return { tenantId, epoch, block: Math.floor(block / termGroupBlocks) };
}

/** The hashes of an event's terms as the index stores them: ascending, each once. */
export function storedTermHashes(scope: TermScope, event: AnyEvent): number[] {
  return [...new Set(termHashes(scope, fieldTerms(event)))].sort((a, b) => a - b);
}

function fnv1a(state: number, text: string): number {
  let hash = state;
  for (let at = 0; at < text.length; at++) {
    const unit = text.charCodeAt(at);
    // Only ASCII has one byte per code unit. Most terms are ASCII.
    if (unit >= 0x80) return fnv1aOfBytes(state, encoder.encode(text));
    hash = Math.imul(hash ^ unit, 0x01000193);
  }
  return hash | 0;
}

function fnv1aOfBytes(state: number, bytes: Uint8Array): number {
  let hash = state;
  for (const byte of bytes) hash = Math.imul(hash ^ byte, 0x01000193);
  return hash | 0;
}
