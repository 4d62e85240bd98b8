/** The document of an action: what is decided, recorded, shown to an approver and executed. */
import { createHash, createHmac, randomBytes } from 'node:crypto';
import { canonicalize, type Json, parsePointer, toPointer } from '@tallystick/event';
import type { ArgumentOpening } from '@tallystick/protocol';
import type { WireRedactor } from '../redaction/wire-redactor.ts';
import { GateError } from './errors.ts';

export interface HiddenArguments {
  /** The arguments without the hidden ones. */
  readonly shown: Json;
  /** JSON pointer → commitment. */
  readonly hidden: { readonly [pointer: string]: string };
  /** JSON pointer → salt and value. They never leave the process, except to the desk with a claim. */
  readonly openings: { readonly [pointer: string]: ArgumentOpening };
}

/** Makes the salt of a hidden argument: 32 bytes. */
export type SaltMaker = (pointer: string) => Uint8Array;

/** Salts for one action: random, or from a key, so that a retry in another process makes the same document. */
export function saltsFrom(
  key: string | Uint8Array | undefined,
  tenantId: string,
  idempotencyKey: string | undefined,
): SaltMaker {
  if (key === undefined || idempotencyKey === undefined) return () => randomBytes(32);
  return (pointer) =>
    createHmac('sha256', key)
      .update(canonicalize([tenantId, idempotencyKey, pointer]))
      .digest();
}

/**
 * Splits the arguments into those that are shown and those that are hidden: the given pointers, and what the redactor takes for a
 * secret.
 *
 * @throws {GateError} `ARGUMENTS_INVALID` for a malformed pointer
 */
export function hideArguments(
  all: Json,
  pointers: readonly string[],
  redactor: WireRedactor | undefined,
  saltOf: SaltMaker,
): HiddenArguments {
  const wanted = new Set(pointers);
  if (redactor !== undefined) for (const pointer of secretsIn(all, redactor)) wanted.add(pointer);
  const openings: Record<string, ArgumentOpening> = {};
  const hidden: Record<string, string> = {};
  let shown = all;
  for (const pointer of wanted) {
    const tokens = parsePointer(pointer);
    if (tokens === undefined || tokens.length === 0)
      throw new GateError('ARGUMENTS_INVALID', `a hidden argument is named by a JSON pointer, such as /card`);
    const value = valueAt(shown, tokens);
    // Absent, or within an argument that is hidden already.
    if (value === undefined) continue;
    const salt = saltOf(pointer);
    openings[pointer] = { salt: Buffer.from(salt).toString('hex'), value };
    hidden[pointer] = argumentCommitment(pointer, salt, value);
    shown = without(shown, tokens);
  }
  return { shown, hidden, openings };
}

/** The commitment to a hidden argument: the same construction as for a sealed field of an event (spec/event.md). */
export function argumentCommitment(pointer: string, salt: Uint8Array, value: Json): string {
  return createHash('sha256')
    .update('tallystick/sealed/v1\0')
    .update(salt)
    .update(canonicalize([pointer, value]))
    .digest('hex');
}

/** Pointers to the values that the redactor would change. */
function secretsIn(all: Json, redactor: WireRedactor): readonly string[] {
  const text = JSON.stringify({ context: { arguments: all } });
  const redacted = redactor.redact(text);
  if (redacted === text) return [];
  const clean = (JSON.parse(redacted) as { context: { arguments?: Json } }).context.arguments;
  const found: string[] = [];
  findChanges(all, clean, [], found);
  return found;
}

function findChanges(before: Json, after: Json | undefined, trail: readonly string[], found: string[]): void {
  if (before === after) return;
  if (isObject(before) && isObject(after)) {
    // A changed name contains a secret itself. It can't be part of a pointer that is recorded, so the whole object is hidden.
    const names = Object.keys(before);
    const namesKept = Object.keys(after).every((name) => Object.hasOwn(before, name));
    if (namesKept || trail.length === 0) {
      for (const name of names) {
        const member = Object.hasOwn(after, name) ? after[name] : undefined;
        findChanges(before[name]!, member, [...trail, name], found);
      }
      return;
    }
  } else if (Array.isArray(before) && Array.isArray(after) && before.length === after.length) {
    for (const [index, item] of before.entries()) {
      findChanges(item as Json, after[index] as Json, [...trail, String(index)], found);
    }
    return;
  }
  if (trail.length > 0) found.push(toPointer(trail));
}

function isObject(value: Json | undefined): value is { readonly [name: string]: Json } {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function valueAt(root: Json, tokens: readonly string[]): Json | undefined {
  let value: Json | undefined = root;
  for (const token of tokens) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, token)) return undefined;
    value = (value as { readonly [name: string]: Json })[token];
  }
  return value;
}

/** The value without the member that the tokens lead to. A hidden item of a list becomes `null`, so that the others keep their place. */
function without(value: Json, [token, ...rest]: readonly string[]): Json {
  if (Array.isArray(value)) {
    return value.map((item: Json, index) => {
      if (String(index) !== token) return item;
      return rest.length === 0 ? null : without(item, rest);
    });
  }
  const entries = Object.entries(value as { readonly [name: string]: Json });
  return Object.fromEntries(
    entries.flatMap(([name, member]): [string, Json][] => {
      if (name !== token) return [[name, member]];
      return rest.length === 0 ? [] : [[name, without(member, rest)]];
    }),
  );
}

/** `sha256:` and the SHA-256 of a value's canonical JSON (RFC 8785). */
export function digestOf(value: unknown): string {
  return `sha256:${createHash('sha256').update(canonicalize(value)).digest('hex')}`;
}
