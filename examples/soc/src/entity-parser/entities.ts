import { createHash } from 'node:crypto';
import type { Entity, EntityKind } from '../platform/alert.ts';

/** What a reader or a pattern found, before it is normalised. */
export interface FoundEntity {
  readonly kind: EntityKind;
  readonly value: string;
  readonly confidence: number;
  readonly where: string;
  readonly role?: Entity['role'];
}

/** Kinds whose values differ only by case if they are the same thing. File names and command lines are not among them. */
const caseless: ReadonlySet<EntityKind> = new Set(['account', 'host', 'ip', 'filehash', 'dns', 'mailbox']);

/** A value is part of ids and screens. Control characters and what hides text are shown as escapes. */
const unsafe = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu;
/** The id of an entity, its kind included, must fit into an identifier of an event. */
const maxValueLength = 480;

/**
 * Normalises entities and joins those with the same id. The one with the highest confidence remains; its role may come from another.
 */
export function mergeEntities(found: readonly FoundEntity[], maxEntities: number): Entity[] {
  const merged = new Map<string, Entity>();
  for (const { kind, value: original, confidence, where, role } of found) {
    const value = normalise(kind, original);
    if (value === '') continue;
    const id = `${kind}:${value}`;
    const known = merged.get(id);
    if (known === undefined && merged.size >= maxEntities) continue;
    const best = known !== undefined && known.confidence >= confidence ? known : { confidence, where };
    const anyRole = known?.role ?? role;
    merged.set(id, {
      id,
      kind,
      value,
      confidence: best.confidence,
      where: best.where,
      ...(anyRole !== undefined && { role: anyRole }),
    });
  }
  return [...merged.values()];
}

function normalise(kind: EntityKind, original: string): string {
  const trimmed = original.trim();
  const cased = caseless.has(kind) ? trimmed.toLowerCase() : trimmed;
  const shown = (kind === 'dns' ? cased.replace(/\.$/, '') : cased)
    .toWellFormed()
    .replace(unsafe, (character) => `\\u{${character.codePointAt(0)!.toString(16)}}`);
  if (shown.length <= maxValueLength) return shown;
  // Two long values that begin alike stay two entities.
  const hash = createHash('sha256').update(shown).digest('hex').slice(0, 16);
  return `${shown.slice(0, maxValueLength - 20).toWellFormed()}…${hash}`;
}
