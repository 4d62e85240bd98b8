import { createHash } from 'node:crypto';
import type { Investigation } from '../platform/investigation.ts';
import type { Settings } from '../platform/settings.ts';

/** Dimensions of the vector of a text. */
const dimensions = 64;

/**
 * A vector of a text without a model: each word is hashed to one dimension, and the vector has length 1. Texts with common words have
 * similar vectors.
 */
export function vectorOf(text: string): readonly number[] {
  const vector = new Array<number>(dimensions).fill(0);
  for (const word of text.toLowerCase().match(/[\p{L}\p{N}.]{3,}/gu) ?? []) {
    const hash = createHash('sha256').update(word).digest();
    const at = hash[0]! % dimensions;
    vector[at] = vector[at]! + (hash[1]! % 2 === 0 ? 1 : -1);
  }
  const length = Math.hypot(...vector);
  return length === 0 ? vector : vector.map((value) => value / length);
}

/** 1 for vectors of one direction, 0 for vectors without common words. */
export function similarity(a: readonly number[], b: readonly number[]): number {
  return Math.max(
    0,
    a.reduce((sum, value, at) => sum + value * b[at]!, 0),
  );
}

export interface SimilarIncident {
  readonly investigation: Investigation;
  readonly score: number;
}

/** What is compared with earlier investigations. */
export interface ComparedAlert {
  readonly tenantId: string;
  readonly text: string;
  readonly techniques: readonly string[];
}

/**
 * The closed investigations that resemble an alert most. Score = 0.4 × text + 0.3 × recency + 0.15 × same tenant + 0.15 × common
 * techniques. Only investigations of the same tenant are offered, because others would tell one customer about another.
 */
export function similarIncidents(
  alert: ComparedAlert,
  closed: readonly Investigation[],
  now: number,
  settings: Settings['investigation'],
): SimilarIncident[] {
  const { vector, recency, tenant, techniques, maxResults } = settings.similarIncidents;
  const own = vectorOf(alert.text);
  return closed
    .map((investigation) => {
      const age = now - Date.parse(investigation.closed_at ?? investigation.opened_at);
      const score =
        vector * similarity(own, vectorOf(investigation.title)) +
        recency * 0.5 ** (age / settings.recencyHalfLifeMs) +
        (investigation.tenant_id === alert.tenantId ? tenant : 0) +
        techniques * overlap(alert.techniques, investigation.techniques);
      return { investigation, score: Math.round(score * 1_000) / 1_000 };
    })
    .filter(({ score }) => score >= settings.similarFromScore)
    .toSorted((a, b) => b.score - a.score)
    .slice(0, maxResults);
}

/** Common elements / all elements; 0 for two empty lists. */
export function overlap(a: readonly string[], b: readonly string[]): number {
  const all = new Set([...a, ...b]);
  const other = new Set(b);
  return all.size === 0 ? 0 : [...new Set(a)].filter((element) => other.has(element)).length / all.size;
}
