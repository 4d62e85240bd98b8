import { createHmac } from 'node:crypto';
import { type RedactionOptions, readRedactionOptions } from './options.ts';
import { SecretNames } from './secret-names.ts';
import { censorText, isCardNumber, mayContainSecret, secretPatterns } from './secret-values.ts';

const mask = '[REDACTED]';

/**
 * Fields that identify the event and contain no free text. They are not searched. The other top-level fields are searched,
 * but never removed.
 */
const notSearched = new Set([
  'audit_id',
  'tenant_id',
  'timestamp',
  'event_type',
  'event_version',
  'actor_type',
  'severity',
]);

const minCardNumber = 1e12;

type Path = readonly string[];

/** Removes secrets from an event's wire text. The same text always gives the same result, so that a retry sends the same bytes. */
export class Redactor {
  readonly #options: Required<RedactionOptions>;
  readonly #names: SecretNames;
  readonly #patterns: readonly RegExp[];
  readonly #paths: readonly Path[];
  /** Whether every event must be searched in full, because configured patterns or paths can match anywhere. */
  readonly #searchAll: boolean;

  constructor(options: RedactionOptions) {
    this.#options = readRedactionOptions(options);
    const { names, allowNames, patterns, paths } = this.#options;
    this.#names = new SecretNames(names, allowNames);
    this.#patterns = [...secretPatterns, ...patterns];
    this.#paths = paths.map((path) => path.split('.'));
    this.#searchAll = paths.length > 0 || patterns.length > 0;
  }

  /** The text without its secrets; the same string if it contains none. */
  redact(text: string): string {
    const event = JSON.parse(text) as Record<string, unknown>;
    if (!this.#searchAll && !this.#mayContainSecret(event)) return text;
    let changed = false;
    const clean: Record<string, unknown> = {};
    for (const [name, value] of Object.entries(event)) {
      const paths = this.#paths
        .filter((path) => path[0] === name || path[0] === '*')
        .map((path) => path.slice(1));
      const kept = notSearched.has(name) ? value : this.#value(value, paths);
      clean[name] = kept === removed ? mask : kept;
      changed ||= clean[name] !== value;
    }
    return changed ? JSON.stringify(clean) : text;
  }

  #mayContainSecret(event: Record<string, unknown>): boolean {
    for (const name of Object.keys(event)) {
      if (!notSearched.has(name) && this.#isSuspicious(event[name])) return true;
    }
    return false;
  }

  /** A quick test whether the value may contain a secret. Most events contain none. */
  #isSuspicious(value: unknown): boolean {
    if (typeof value === 'string') return mayContainSecret(value);
    if (typeof value === 'number') return value > minCardNumber;
    if (typeof value !== 'object' || value === null) return false;
    if (Array.isArray(value)) {
      if (isPairs(value) && value.some(([name, member]) => this.#isSecret(name, member))) return true;
      return value.some((item) => this.#isSuspicious(item));
    }
    const label = labelOf(value as Record<string, unknown>);
    if (label !== undefined && this.#isSecret(label, (value as Record<string, unknown>).value)) return true;
    for (const name of Object.keys(value)) {
      const member = (value as Record<string, unknown>)[name];
      if (this.#isSecret(name, member) || this.#isSuspicious(member) || mayContainSecret(name)) return true;
    }
    return false;
  }

  #isSecret(name: string, value: unknown): boolean {
    const secrecy = this.#names.of(name);
    if (secrecy === 'none' || value === null || typeof value === 'boolean' || value === '') return false;
    return typeof value !== 'number' || secrecy === 'text and numbers';
  }

  /** The value without its secrets; the same value if it contains none. */
  #value(value: unknown, paths: readonly Path[]): unknown {
    if (paths.some((path) => path.length === 0)) return this.#censor(value);
    switch (typeof value) {
      case 'string':
        return censorText(value, this.#patterns, (secret) => this.#replacementOf(secret));
      case 'number':
        return value > minCardNumber && isCardNumber(String(value)) ? this.#censor(value) : value;
      case 'object':
        if (value === null) return value;
        return Array.isArray(value)
          ? this.#list(value, paths)
          : this.#object(value as Record<string, unknown>, paths);
      default:
        return value;
    }
  }

  #list(list: readonly unknown[], paths: readonly Path[]): unknown {
    let changed = false;
    const clean: unknown[] = [];
    const pairs = isPairs(list);
    for (const [index, item] of list.entries()) {
      const [name, member] = pairs ? (item as Pair) : ['', ''];
      const kept = this.#isSecret(name, member)
        ? this.#pair(name, member)
        : this.#value(item, pathsBelow(paths, String(index)));
      changed ||= kept !== item;
      if (kept !== removed) clean.push(kept);
    }
    return changed ? clean : list;
  }

  #pair(name: string, secret: unknown): unknown {
    const kept = this.#censor(secret);
    return kept === removed ? removed : [name, kept];
  }

  #object(object: Record<string, unknown>, paths: readonly Path[]): unknown {
    let changed = false;
    const label = labelOf(object);
    const clean = new Map<string, unknown>();
    for (const [name, value] of Object.entries(object)) {
      const labelled = name === 'value' && label !== undefined && this.#isSecret(label, value);
      const secret = labelled || this.#isSecret(name, value);
      const kept = secret ? this.#censor(value) : this.#value(value, pathsBelow(paths, name));
      let safe = censorText(name, this.#patterns, (part) => this.#replacementOf(part));
      if (safe !== name) while (clean.has(safe) || Object.hasOwn(object, safe)) safe += '*';
      changed ||= kept !== value || safe !== name;
      if (kept !== removed) clean.set(safe, kept);
    }
    // Unlike an assignment, fromEntries keeps a member named __proto__.
    return changed ? Object.fromEntries(clean) : object;
  }

  #censor(secret: unknown): unknown {
    if (this.#options.censor === 'remove') return removed;
    return this.#replacementOf(typeof secret === 'string' ? secret : JSON.stringify(secret));
  }

  #replacementOf(secret: string): string {
    const { censor } = this.#options;
    if (typeof censor === 'string') return mask;
    return `hmac:${createHmac('sha256', censor.hmacKey).update(secret).digest('hex').slice(0, 32)}`;
  }
}

const removed = Symbol('removed');

type Pair = readonly [name: string, value: unknown];

/** Whether a list consists of name-value pairs, as headers, queries and maps are often written: `[['Authorization', '…'], …]`. */
function isPairs(list: readonly unknown[]): list is readonly Pair[] {
  return (
    list.length > 0 &&
    list.every((item) => Array.isArray(item) && item.length === 2 && typeof item[0] === 'string')
  );
}

/** The name in `{ name: 'DB_PASSWORD', value: '…' }`, as container settings, forms and HTTP archives write members. */
function labelOf({ name, key, value }: Record<string, unknown>): string | undefined {
  if (value === undefined) return undefined;
  return typeof name === 'string' ? name : typeof key === 'string' ? key : undefined;
}

/** The rest of those paths that lead through a member with this name. */
function pathsBelow(paths: readonly Path[], name: string): readonly Path[] {
  if (paths.length === 0) return paths;
  return paths.filter((path) => path[0] === name || path[0] === '*').map((path) => path.slice(1));
}
