import { secretArguments } from './argument-lists.ts';
import { findSecrets } from './find-secrets.ts';
import { MemberNames } from './member-names.ts';
import { isCardNumber } from './numbers.ts';
import { type Secrecy, SecretNames } from './secret-names.ts';

/** What counts as a secret, in addition to what is built in. */
export interface RedactionRules {
  /** Names of members whose values are secret. The spelling does not matter: `memberPin` also means `member_pin`. */
  readonly names: readonly string[];
  /** Names of members that look like secrets and are not. */
  readonly allowNames: readonly string[];
  /** Patterns of secrets within text, each with the flag `g`. */
  readonly patterns: readonly RegExp[];
  /** Paths of members to replace whatever they contain, such as `context.user.email`; `*` stands for any name. */
  readonly paths: readonly string[];
}

/** What replaces a secret; `undefined` removes the member, and masks the secret within a longer text. */
export type Replacement = (secret: string) => string | undefined;

/** What replaces a secret that can't be removed, and each secret by default. */
export const mask = '[REDACTED]';

/**
 * Fields that identify the event and contain no free text, and commitments to sealed values. They are not searched. The other
 * top-level fields are searched, but never removed.
 */
const notSearched = new Set(
  'audit_id tenant_id timestamp event_type event_version actor_type severity sealed'.split(' '),
);

const minCardNumber = 1e12;

type Path = readonly string[];
type Members = Record<string, unknown>;

/** Removes secrets from events. The same event always gives the same result. */
export class Redactor {
  readonly #names: SecretNames;
  readonly #members: MemberNames;
  readonly #patterns: readonly RegExp[];
  readonly #paths: readonly Path[];
  readonly #replacement: Replacement;

  constructor(rules: RedactionRules, replacement: Replacement = () => mask) {
    this.#names = new SecretNames(rules.names, rules.allowNames);
    this.#patterns = rules.patterns;
    this.#members = new MemberNames(this.#names, (name) => this.redactText(name) === name);
    this.#paths = rules.paths.map((path) => path.split('.'));
    this.#replacement = replacement;
  }

  /** The event without its secrets; the same object if it contains none. */
  redact<E extends object>(event: E): E {
    let clean: Members | undefined;
    for (const name of Object.keys(event)) {
      if (notSearched.has(name)) continue;
      const value = (event as Members)[name];
      const kept = this.#value(value, pathsBelow(this.#paths, name));
      if (kept === value) continue;
      clean ??= { ...(event as Members) };
      clean[name] = kept === removed ? mask : kept;
    }
    return (clean as E | undefined) ?? event;
  }

  /** The text without its secrets; the same string if it contains none. */
  redactText(text: string): string {
    let clean = text;
    for (const pattern of this.#patterns) clean = clean.replace(pattern, (secret) => this.#within(secret));
    let rest = 0;
    let result = '';
    for (const [start, end] of findSecrets(clean, this.#names)) {
      result += clean.slice(rest, start) + this.#within(clean.slice(start, end));
      rest = end;
    }
    return rest === 0 ? clean : result + clean.slice(rest);
  }

  #secrecyOf(name: string, value: unknown): boolean {
    return isSecretValue(this.#names.of(name), value);
  }

  /** The value without its secrets; the same value if it contains none. */
  #value(value: unknown, paths: readonly Path[]): unknown {
    if (paths.length > 0 && paths.some((path) => path.length === 0)) return this.#censor(value);
    switch (typeof value) {
      case 'string':
        return this.redactText(value);
      case 'number':
        return value > minCardNumber && isCardNumber(String(value)) ? this.#censor(value) : value;
      case 'object':
        if (value === null) return value;
        return Array.isArray(value) ? this.#list(value, paths) : this.#object(value as Members, paths);
      default:
        return value;
    }
  }

  #list(list: readonly unknown[], paths: readonly Path[]): unknown {
    let clean: unknown[] | undefined;
    const pairs = isPairs(list);
    const secrets = secretArguments(list, this.#names);
    for (let index = 0; index < list.length; index++) {
      const item = list[index];
      const below = paths.length === 0 ? paths : pathsBelow(paths, String(index));
      const kept =
        pairs || secrets.size > 0
          ? this.#item(item, { pairs, secretFrom: secrets.get(index), paths: below })
          : this.#value(item, below);
      if (kept !== item) clean ??= list.slice(0, index);
      if (clean !== undefined && kept !== removed) clean.push(kept);
    }
    return clean ?? list;
  }

  #item(
    item: unknown,
    at: { readonly pairs: boolean; readonly secretFrom: number | undefined; readonly paths: readonly Path[] },
  ): unknown {
    if (at.secretFrom !== undefined) {
      const text = item as string;
      const secret = text.slice(at.secretFrom);
      if (isReplaced(secret)) return item;
      return at.secretFrom === 0 ? this.#censor(text) : text.slice(0, at.secretFrom) + this.#within(secret);
    }
    if (at.pairs) {
      const [name, member] = item as Pair;
      if (this.#secrecyOf(name, member)) {
        const kept = this.#censor(member);
        return kept === removed ? removed : kept === member ? item : [name, kept];
      }
    }
    return this.#value(item, at.paths);
  }

  #object(object: Members, paths: readonly Path[]): unknown {
    let clean: Map<string, unknown> | undefined;
    /** New names of members. The other names are those of the object. */
    let renamed: Set<string> | undefined;
    let labelled: Secrecy | undefined;
    const names = Object.keys(object);
    for (let index = 0; index < names.length; index++) {
      const name = names[index]!;
      const value = object[name];
      const member = this.#members.of(name);
      let isSecret = isSecretValue(member.secrecy, value);
      if (!isSecret && member.isValue) {
        labelled ??= this.#members.secrecyOfLabel(object);
        isSecret = isSecretValue(labelled, value);
      }
      const kept = isSecret ? this.#censor(value) : this.#value(value, pathsBelow(paths, name));
      let safe = name;
      if (!member.isClean) {
        safe = this.redactText(name);
        renamed ??= new Set();
        if (safe !== name) while (renamed.has(safe) || Object.hasOwn(object, safe)) safe += '*';
        renamed.add(safe);
      }
      if (clean === undefined && (kept !== value || safe !== name)) {
        clean = new Map(names.slice(0, index).map((before) => [before, object[before]]));
      }
      if (kept !== removed) clean?.set(safe, kept);
    }
    // Unlike an assignment, fromEntries keeps a member named __proto__.
    return clean === undefined ? object : Object.fromEntries(clean);
  }

  #censor(secret: unknown): unknown {
    if (typeof secret === 'string' && isReplaced(secret)) return secret;
    return this.#replacement(typeof secret === 'string' ? secret : JSON.stringify(secret)) ?? removed;
  }

  /** What replaces a secret within a longer text. */
  #within(secret: string): string {
    return this.#replacement(secret) ?? mask;
  }
}

const removed = Symbol('removed');

function isSecretValue(secrecy: Secrecy, value: unknown): boolean {
  if (secrecy === 'none' || value === null || typeof value === 'boolean' || value === '') return false;
  if (secrecy === 'digits') {
    return (typeof value === 'string' || typeof value === 'number') && /^\d{3,12}$/.test(String(value));
  }
  // A short number is a count, also if it is written as text: `completion_tokens: '64'`.
  const isCount = typeof value === 'number' || (typeof value === 'string' && /^\d{1,8}$/.test(value));
  return !isCount || secrecy === 'text and numbers';
}

/** Whether a text is what a secret was replaced with, so that a second pass changes nothing. */
function isReplaced(text: string): boolean {
  return text === mask || /^hmac:[0-9a-f]{32}$/.test(text);
}

type Pair = readonly [name: string, value: unknown];

/** Whether a list consists of name-value pairs, as headers, queries and maps are often written: `[['Authorization', '…'], …]`. */
function isPairs(list: readonly unknown[]): list is readonly Pair[] {
  return (
    list.length > 0 &&
    list.every((item) => Array.isArray(item) && item.length === 2 && typeof item[0] === 'string')
  );
}

/** The rest of those paths that lead through a member with this name. */
function pathsBelow(paths: readonly Path[], name: string): readonly Path[] {
  if (paths.length === 0) return paths;
  return paths.filter((path) => path[0] === name || path[0] === '*').map((path) => path.slice(1));
}
