import type { AlertKind, CorpusAlert } from '../corpus.ts';

/** The corpus plays on one morning. */
export const at = (time: string): string => `2026-11-20T${time}.000Z`;

export function alertOf(
  kind: AlertKind,
  name: string,
  source: string,
  payload: unknown,
  tenantId = 'acme',
): CorpusAlert {
  return { name, kind, tenantId, source, payload };
}
